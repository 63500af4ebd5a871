--[[ sayWord: put a word into a set, also where memory is full: who frees it must first be able to say that he is at work.
  WHY LUA  SADD alone is refused then; after a removal, of which there is nothing to remove, it is not.
  BOUND    one word of some 20 bytes.
  SAFE TO  repeat, race and interrupt: a set holds a word once.
  KEYS     1: the set
  ARGV     1: the word
  RETURNS  1 ]]
redis.call('SREM', KEYS[1], ARGV[1])
return redis.call('SADD', KEYS[1], ARGV[1])
