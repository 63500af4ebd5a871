--[[ sayWord: put a word into a set, also where memory is full: who frees it must first be able to say that he is at work; and open
    the pass that goes with the word: a stream that is there for as long as the word is to be gone by.
  WHY LUA  SADD alone is refused then; after a removal, of which there is nothing to remove, it is not. And no pass may stay for ever.
  BOUND    one word of some 20 bytes.
  SAFE TO  repeat, race and interrupt: a set holds a word once; a pass is there, however often it was opened.
  KEYS     1: the set, 2: the pass, left out for none
  ARGV     1: the word, 2: until when the pass is there, by this server's clock, in ms
  RETURNS  1, or 0 where the set had the word ]]
redis.call('SREM', KEYS[1], '')
local said = redis.call('SADD', KEYS[1], ARGV[1])
if KEYS[2] then
  redis.call('XADD', KEYS[2], '*', 'is', 'open')
  redis.call('PEXPIREAT', KEYS[2], ARGV[2])
end
return said
