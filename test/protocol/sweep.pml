/* sweep: how the things of a stale coordinator go, while it may come back, runs may end, and servers may fail over.
 *
 *   One coordinator, its heartbeat in one slot, one more thing of its in another one. Two runs side by side, each of which may end
 *   at any step, or stand still as long as it likes; the weather: failovers, each of which may lose the last write; then a last
 *   run that nothing disturbs, and a failover after it. README.md says what stands for what.
 *
 *   -DONE_SERVER  both slots on one server, as lua/sweep.lua has it; else each has its own
 *   -DSTRING      the thing is a string, which a write replaces; else a set or a hash, to which it adds
 *   -DLATE        what the first run sends to set the thing aside may come at any time after that run has ended
 *   -DTRASH       what goes is kept in a trash, where an older one lies already, and somebody may restore it at any time
 *   and one -D for each mutant, a mistake in the protocol; each of them must be found (sweep.test.ts).
 */
#define NONE  0 /* of a heartbeat: there is none */
#define STALE 1 /* the heartbeat as it stood when all began */
#define FRESH 2 /* it beat again */

#define OLD 1 /* of a thing: what the coordinator left */
#define NEW 2 /* what it wrote after it beat again */
#define OLDER 4 /* what a run took in an earlier life of its */

#define RUNS 3
#define LAST 2
#define MOST_DEEDS 2
#ifndef AT_ONCE
#define AT_ONCE 2
#endif
#ifndef MOST_FAILOVERS
#define MOST_FAILOVERS 1
#endif
#ifndef MOST_TRIES
#define MOST_TRIES 1
#endif

byte heart = STALE;     /* the slot of the heartbeat */
byte heartBefore = STALE; /* as its replica has it, until it hears of the last write */
byte heartServer = 0;   /* which server answers for it */

byte thing = OLD;       /* the other slot */
byte aside[RUNS];       /* what was renamed, under a name that holds the run */
byte thingBefore = OLD;
byte asideBefore[RUNS];
bit sent;               /* the first run has ended, and what it sent to set the thing aside is still on its way */
bit closed;             /* its pass there, by its time or by who settles: what comes now is not done */
byte trash = OLDER;     /* in the same slot */
byte trashBefore = OLDER;
byte thingServer = 0;
bit touched[RUNS];      /* since this run asked for the time there, as OBJECT IDLETIME tells */

bit alive;              /* the coordinator beat again, and goes on to */
bit fellSilent;         /* it was back, and has been silent for longer than the threshold since */
byte mine;              /* what it has seen, or written, since it came back */
bit removedOwn;         /* it left in good order */
bit excused;            /* what it removed itself came back by a failover, or what went was restored */
bit grace;              /* the heartbeat's server was promoted less than the threshold ago (P10) */
bit calm;               /* nothing more happens but what the coordinator does */
byte failovers;
byte ended;             /* runs, and the weather */
bit isOver;             /* the coordinator does nothing any more */

/* Each write to a slot is first only with its primary. */
#ifdef ONE_SERVER
#define KEEP_HEART heartBefore = heart; thingBefore = thing
#define KEEP_THING KEEP_HEART; trashBefore = trash
#else
#define KEEP_HEART heartBefore = heart
#define KEEP_THING thingBefore = thing; asideBefore[0] = aside[0]; asideBefore[1] = aside[1]; asideBefore[2] = aside[2]; trashBefore = trash
#endif

/* For good, or to the trash. */
#ifdef TRASH
#define GOES(what) if :: what -> trash = what :: else fi; what = 0
#else
#define GOES(what) what = 0
#endif

#define TOUCH touched[0] = 1; touched[1] = 1; touched[2] = 1
#define BEAT KEEP_HEART; heart = FRESH; alive = 1

inline removeOwn() {
  d_step { KEEP_THING; TOUCH; thing = 0; mine = 0; removedOwn = 1 };
  d_step { KEEP_HEART; heart = NONE; alive = 0; fellSilent = 1 }
}

proctype coordinator() {
  byte deeds = 0;
  if
  :: calm -> goto over            /* it is dead */
  :: d_step { BEAT }
  fi;
  do
  :: deeds < MOST_DEEDS -> d_step { deeds++; TOUCH; mine = mine | thing }
  :: deeds < MOST_DEEDS -> d_step { deeds++; TOUCH; KEEP_THING;
#ifdef STRING
       thing = NEW; mine = NEW
#else
       thing = thing | NEW; mine = mine | thing
#endif
     }
  :: atomic { heart != FRESH -> BEAT }          /* a failover lost the beat: the next one is due */
  :: atomic { heart == FRESH -> alive = 0; fellSilent = 1; mine = 0 }; break
  :: heart == FRESH -> removeOwn(); break       /* it leaves in good order */
  :: calm && heart == FRESH -> break
  od;
over: isOver = 1
}

inline failOverHeart(loses) {
  d_step {
    if :: loses && heart == FRESH && heartBefore == NONE && !alive -> excused = 1 :: else fi;
    if :: loses -> heart = heartBefore :: else fi;
    heartBefore = heart; heartServer++; grace = 1;
#ifdef ONE_SERVER
    if :: loses && removedOwn && thing == 0 && thingBefore != 0 -> excused = 1 :: else fi;
    if :: loses -> mine = mine & thingBefore; thing = thingBefore :: else fi;
    thingBefore = thing
#endif
  }
}

inline failOverThing(loses) {
  d_step {
    if
    :: loses ->
      if :: removedOwn && thing == 0 && thingBefore != 0 -> excused = 1 :: else fi;
      mine = mine & (thingBefore | asideBefore[0] | asideBefore[1] | asideBefore[2]);
      thing = thingBefore; aside[0] = asideBefore[0]; aside[1] = asideBefore[1]; aside[2] = asideBefore[2]; trash = trashBefore
    :: else
    fi;
    KEEP_THING; thingServer++;
    touched[0] = 0; touched[1] = 0; touched[2] = 0   /* a replica hears of no reading */
  }
}

inline failOver() {
  if
  :: failOverHeart(0)
  :: failOverHeart(1)
#ifndef ONE_SERVER
  :: failOverThing(0)
  :: failOverThing(1)
#endif
  fi;
  failovers++
}

#ifdef LATE_ASIDE
#define MAY_COME (sent)
#else
#define MAY_COME (sent && !closed)
#endif
/* Whoever would set something aside, or restore, has the words of all others taken back before, or waits for them. */
#define OTHERS_AT_WORK (aside[0] || aside[1] || aside[2] || (sent && !closed))

#ifdef RESTORE_ANY_TIME
#define NOTHING_ASIDE 1
#else
#define NOTHING_ASIDE !OTHERS_AT_WORK
#endif

/* What is on its way comes at any time, or never. */
proctype way() {
end:
  d_step {
    MAY_COME -> sent = 0;
    if :: thing != 0 -> KEEP_THING; aside[0] = thing; thing = 0 :: else fi
  }
}

/* One command: nothing comes back over what exists, nor while something is aside that is to have that name. */
proctype restorer() {
  if
  :: atomic { trash != 0 && thing == 0 && NOTHING_ASIDE -> TOUCH; KEEP_THING; thing = trash; trash = 0; excused = 1 }
#ifdef RESTORE_OVERWRITES
  :: atomic { trash != 0 -> TOUCH; KEEP_THING; thing = trash; trash = 0; excused = 1 }
#endif
  :: skip
  fi
}

proctype weather() {
  do
  :: failovers < MOST_FAILOVERS -> failOver()
  :: break
  od;
  ended++
}

/* Things come back where nothing is in their way; of a set or hash, member by member. */
inline putBack(whose) {
  d_step {
    if :: removedOwn && aside[whose] != 0 -> excused = 1 :: else fi;
#ifndef NO_PUT_BACK
    KEEP_THING;
#ifdef PUT_BACK_OVERWRITES
    if :: aside[whose] -> thing = aside[whose] :: else fi;
#else
#if defined(STRING) || defined(PUT_BACK_GIVES_UP)
    if :: thing == 0 -> thing = aside[whose] :: else fi;
#else
    thing = thing | aside[whose];
#endif
#endif
#endif
    aside[whose] = 0
  }
}

#ifdef ANY_HEART_SERVER
#define SAME_HEART_SERVER 1
#else
#define SAME_HEART_SERVER (heartServer == heartServerThen)
#endif
#ifdef ANY_THING_SERVER
#define SAME_THING_SERVER 1
#else
#define SAME_THING_SERVER (thingServer == thingServerThen)
#endif

/* Why a reading of the heartbeat lets something go, or that it does not. */
#define UNCHANGED 1
#define ABSENT    2 /* it expired, or was removed meanwhile: then that is the proof */
#define CHANGED   3

inline readHeart() {
  d_step {
    if
    :: !SAME_HEART_SERVER -> reading = CHANGED
    :: else ->
      if
      :: heart == NONE -> reading = ABSENT
      :: heart != NONE && heart == judged -> reading = UNCHANGED
      :: else -> reading = CHANGED
      fi
    fi
  }
}

/* A run may end between any two of its steps. */
#define MAY_END if :: r != LAST -> goto over :: skip fi

inline judge() {
  atomic {
    /* Whoever is active has beaten once a promoted server has been there for the threshold. */
    if
    :: grace && (heart == FRESH || !alive) -> grace = 0
    :: r != LAST || !grace
    fi;
    judged = heart; heartServerThen = heartServer;
#ifdef NO_GRACE
    isStale = (judged == STALE || (judged == FRESH && fellSilent))
#else
    isStale = !grace && (judged == STALE || (judged == FRESH && fellSilent))
#endif
  }
}

/* What other runs left aside. */
inline settleLeft() {
  whose = 0; thingServerThen = thingServer;
  closed = closed || sent;
  do
  :: whose < RUNS ->
    if
    :: whose != r && aside[whose] != 0 ->
      MAY_END;
      readHeart();
      MAY_END;
      if
      :: (isStale && reading == UNCHANGED) || (!grace && reading == ABSENT) ->
        d_step { if :: SAME_THING_SERVER -> KEEP_THING; GOES(aside[whose]) :: else fi; reading = 0 }
      :: reading == CHANGED || (!isStale && reading == UNCHANGED) -> putBack(whose); reading = 0
      :: else -> reading = 0
      fi
    :: else
    fi;
    whose++
  :: else -> whose = 0; break
  od
}

inline removeHeart() {
  d_step {
    if
    :: SAME_HEART_SERVER && heart == judged && heart != NONE ->
      assert(!alive);   /* P1 */
      KEEP_HEART; heart = NONE
    :: else
    fi
  }
}

proctype sweeper(byte r) {
  byte judged, heartServerThen, thingServerThen, reading, whose, tries;
  bit isStale, isAside, isDone;
  judge();
#ifdef ONE_SERVER
  if :: !isStale -> goto over :: else fi;
  MAY_END;
  if
  :: skip   /* all in one call */
  :: d_step {   /* more than fits one: the heartbeat goes with the last */
#ifdef HEARTBEAT_FIRST
      if :: SAME_HEART_SERVER && heart == judged -> KEEP_HEART; heart = NONE :: else fi
#else
      if :: SAME_HEART_SERVER && heart == judged -> KEEP_THING; thing = 0 :: else fi
#endif
    }
  fi;
  MAY_END;
  d_step {
#ifdef NO_PROOF
    KEEP_THING; thing = 0;
#endif
    if
    :: SAME_HEART_SERVER && heart == judged -> assert(!alive); KEEP_HEART; thing = 0; heart = NONE
    :: else
    fi
  };
#else
#ifndef NO_SETTLING
  settleLeft();
#endif
  if :: !isStale -> goto over :: else fi;
again:
  if :: tries == MOST_TRIES -> goto over :: else -> tries++ fi;
#ifdef HEARTBEAT_FIRST
  removeHeart();
#endif
  MAY_END;
  /* TIME of the things' server, then the heartbeat once more. */
  d_step { thingServerThen = thingServer; touched[r] = 0 };
  readHeart();
#ifndef HEARTBEAT_FIRST
  if :: reading != UNCHANGED -> goto over :: else fi;
#endif
  reading = 0;
  MAY_END;
#if defined(LATE) || defined(LATE_ASIDE)
  if
  :: atomic { r == 0 && SAME_THING_SERVER && !OTHERS_AT_WORK -> sent = 1; goto over }
  :: skip
  fi;
#endif
  /* One script in the things' slot. Whether it can tell that nobody has touched a thing depends on the policy (LFU). */
  atomic {
    isDone = SAME_THING_SERVER;
    if
    :: !isDone
#ifdef ANY_ASIDE
    :: isDone && (thing == 0 || aside[r] != 0)
    :: isDone && thing != 0 && aside[r] == 0 ->
#else
    :: isDone && OTHERS_AT_WORK -> isDone = 0   /* to be settled first */
    :: isDone && thing == 0 && !OTHERS_AT_WORK
    :: isDone && thing != 0 && !OTHERS_AT_WORK ->
#endif
      if
#ifdef NO_SECOND_READING
      :: d_step { KEEP_THING; thing = 0 }
#else
      :: !touched[r] -> d_step { KEEP_THING; GOES(thing) }
      :: d_step { KEEP_THING; aside[r] = thing; thing = 0; isAside = 1 }
#endif
      fi
    fi
  };
  if :: !isDone -> goto again :: else fi;
  if
  :: isAside ->
    isAside = 0;
    MAY_END;
    readHeart();
    MAY_END;
    if
    :: reading != CHANGED ->
      d_step {
        reading = 0;
        isDone = SAME_THING_SERVER;
        if :: isDone -> KEEP_THING; GOES(aside[r]); isDone = (thing == 0) :: else fi
      };
      if :: !isDone -> goto again :: else fi
    :: else -> putBack(r); goto over
    fi
  :: else
  fi;
#ifndef NO_WAIT
  MAY_END;
  /* WAIT: the replica has heard of it all. */
  d_step {
    isDone = SAME_THING_SERVER;
    if :: isDone -> KEEP_THING :: else fi
  };
  if :: !isDone -> goto again :: else fi;
#endif
#ifndef HEARTBEAT_FIRST
  MAY_END;
  removeHeart();
#endif
#endif
over: ended++
}

init {
  atomic {
    run coordinator(); run weather(); run sweeper(0);
#if defined(LATE) || defined(LATE_ASIDE)
    run way();
#endif
#ifdef TRASH
    run restorer();
#endif
#if AT_ONCE == 2
    run sweeper(1)
#endif
  };
  ended == 1 + AT_ONCE;
  calm = 1;
  isOver;
  run sweeper(LAST);
  ended == 2 + AT_ONCE;
  if
  :: alive ->
    assert(heart == FRESH);               /* P1 */
    assert((thing & mine) == mine);       /* P1 */
    assert(aside[0] == 0 && aside[1] == 0 && aside[2] == 0)
  :: else ->
    assert(excused || (heart == NONE && thing == 0));   /* P3 */
    assert(aside[0] == 0 && aside[1] == 0 && aside[2] == 0);
    if
    :: skip
    :: failOverHeart(1)
#ifndef ONE_SERVER
    :: failOverThing(1)
#endif
    fi;
    assert(excused || heart != NONE || thing == 0)      /* P3: nothing is orphaned, the next run would find it */
  fi
}
