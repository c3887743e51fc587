/* A leaving node hands one message over: leaver, heir, second heir (`Sources/QueueEngine/Leaving`).
 *
 * The network is the set of frames ever sent: each may arrive at any time, any number of times, or never. Every
 * process may die at any instant and start again with what it had on its disk; an heir that starts draws a new nonce.
 * A session is (number, nonce): the leaver draws the number, never twice; the heir the nonce. In the machine a session
 * carries many offers, counted; with one message the first offer of a session is the only one.
 *
 * twin NO_MARK: the leaver offers without having written that it did
 * twin MARK_TOO_LATE: the leaver offers while its mark is still on the way to the disk
 * twin ATTEMPTS_OFFERED: the leaver attempts what it has offered
 * twin TIMEOUT_ENDS_MARK: silence, not the heir's answer, ends the mark
 * twin OCTETS_DROPPED: the leaver drops the octets when it offers
 * twin ANSWER_BEFORE_SYNC: the heir answers before its disk has the message
 * twin NO_RECEIPT: the heir forgets a message when it has delivered it
 * twin NO_NONCE: an heir that starts again takes offers made to its former life
 * twin NO_NUMBER: the leaver's new session leaves the offers of its old one alive
 * twin OLD_WELCOME: a leaver that starts again believes what was said in a session of its former life
 * twin COUNT_IGNORED: the heir takes an offer again that it has refused
 * goal FIRST: the first heir takes it
 * goal SECOND: the first heir refuses, the second takes it
 * goal RESUMED: the leaver dies in the midst of it, and ends when it is called again
 */
#define HEIRS 2
#define NUMBERS 4 /* sessions 1 … 3 */
#define NONCES 3  /* lives 1 and 2 of each heir */
#define at(h, e, n) ((h) * NUMBERS * NONCES + (e) * NONCES + (n))

#define NOBODY 7

/* The frames sent. */
bool hello[8];                     /* heir * NUMBERS + number */
bool welcomeNew[24], welcomeHas[24]; /* what the heir said of the message as the session began */
bool offer[24];
bool accepted[24], refused[24];

/* The leaver's disk. */
byte diskMark = NOBODY;  /* the heir named by the mark */
bool diskOctets = true;
byte number = 0;         /* of its last session: never used twice */
bool left = false;
/* Its memory. */
byte mark = NOBODY;
byte writing = NOBODY;   /* a mark on its way to the disk */
bool hasBegun = false;   /* a session, in this life */
byte nonce = 0;          /* of the session, once the heir has said it */
bool maySend = false;    /* the heir said that it has not got it */
bool hasOffered = false; /* in this session */
bool given = false;

/* The heirs' disks. */
bool owns[HEIRS], receipt[HEIRS];
/* Their memories. */
byte life[HEIRS];
byte session[HEIRS];
bool counted[HEIRS];     /* the session's offer has come */
bool pending[HEIRS];     /* on its way to the disk */

byte delivered = 0;
byte leaverDeaths = 0;
bool wasRefused = false;

#define leaverOwns (!left && diskMark == NOBODY && !given)

inline check() {
    /* On disks and in memories together: whoever may attempt, now or after its next start. */
    assert((leaverOwns -> 1 : 0) + (owns[0] -> 1 : 0) + (owns[1] -> 1 : 0) + delivered <= 1);
    assert(delivered == 1 || owns[0] || owns[1] || (diskOctets && !left));
}

inline newSession(h) {
    number++;
    hasBegun = true;
    nonce = 0;
    maySend = false;
    hasOffered = false;
    hello[h * NUMBERS + number] = true;
}

inline endMark() {
    mark = NOBODY;
    diskMark = NOBODY;
    nonce = 0;
    maySend = false;
    hasOffered = false;
}

#ifdef NO_MARK
#define begin(h) mark = h; newSession(h)
#define write_mark writing = NOBODY
#endif
#ifdef MARK_TOO_LATE
#define begin(h) writing = h; mark = h; newSession(h)
#define write_mark diskMark = writing; writing = NOBODY
#endif
#ifndef begin
#define begin(h) writing = h
#define write_mark diskMark = writing; mark = writing; writing = NOBODY; newSession(mark)
#endif

#define isFree (!left && mark == NOBODY && writing == NOBODY && diskMark == NOBODY)
#define isOpen (!left && mark != NOBODY && !given)
#ifdef OLD_WELCOME
#define isWaiting (isOpen && nonce == 0)
#else
#define isWaiting (isOpen && nonce == 0 && hasBegun)
#endif

active proctype Leaver() {
end:
    do
    /* An attempt of its own, begun and recorded at once. */
    :: atomic { isFree -> delivered++; diskOctets = false; left = true; check() }
    /* The mark, and then the session. */
    :: atomic { isFree && number < NUMBERS - 1 -> begin(0) }
    :: atomic { isFree && number < NUMBERS - 1 -> begin(1) }
    :: atomic { writing != NOBODY && number < NUMBERS - 1 -> write_mark }
    /* The session is begun anew when nothing is heard, or after a start. */
    :: atomic { isOpen && number < NUMBERS - 1 -> newSession(mark) }
    /* What the heir had of it as the session began. */
    :: atomic { isWaiting && welcomeHas[at(mark, number, 1)] -> given = true; check() }
    :: atomic { isWaiting && welcomeHas[at(mark, number, 2)] -> given = true; check() }
    :: atomic { isWaiting && welcomeNew[at(mark, number, 1)] -> nonce = 1; maySend = true }
    :: atomic { isWaiting && welcomeNew[at(mark, number, 2)] -> nonce = 2; maySend = true }
    :: atomic { isOpen && maySend && !hasOffered -> hasOffered = true; offer[at(mark, number, nonce)] = true;
#ifdef OCTETS_DROPPED
        diskOctets = false;
#endif
        check() }
    /* It need not: nothing can have been taken, so it may ask another, or keep it. */
    :: atomic { isOpen && maySend && !hasOffered -> endMark(); check() }
#ifdef TIMEOUT_ENDS_MARK
    :: atomic { isOpen -> endMark(); check() }
#endif
#ifdef ATTEMPTS_OFFERED
    :: atomic { isOpen -> delivered++; check() }
#endif
    /* Answers. */
    :: atomic { isOpen && hasOffered && accepted[at(mark, number, nonce)] -> given = true; check() }
    :: atomic { isOpen && hasOffered && refused[at(mark, number, nonce)] -> endMark(); wasRefused = true; check() }
    /* The end, and death. */
    :: atomic { given && !left -> left = true; diskOctets = false; check();
#ifdef FIRST
        assert(!receipt[0]);
#endif
#ifdef SECOND
        assert(!(receipt[1] && wasRefused && !receipt[0]));
#endif
#ifdef RESUMED
        assert(leaverDeaths == 0);
#endif
        }
    :: atomic { !left && leaverDeaths < 2 -> leaverDeaths++; mark = diskMark; writing = NOBODY; given = false;
        hasBegun = false; nonce = 0; maySend = false; hasOffered = false }
    od
}

/* A session begins: what was offered in older ones can be taken no more, so what the heir says of the message holds. */
#ifdef NO_NUMBER
#define begun(h, e) true
#else
#define begun(h, e) (e > session[h])
#endif
#define met(h, e) hello[h * NUMBERS + e] && begun(h, e) && !pending[h] -> session[h] = e; counted[h] = false; if :: receipt[h] -> welcomeHas[at(h, e, life[h])] = true :: else -> welcomeNew[at(h, e, life[h])] = true fi

/* An offer counts in its session, in the life that began it, and once. */
#ifdef NO_NONCE
#define isFor(h, e) (offer[at(h, e, 1)] || offer[at(h, e, 2)]) && (session[h] == e || session[h] == 0)
#else
#ifdef NO_NUMBER
#define isFor(h, e) offer[at(h, e, life[h])]
#else
#define isFor(h, e) offer[at(h, e, life[h])] && session[h] == e
#endif
#endif
#ifdef COUNT_IGNORED
#define isNext(h) !receipt[h]
#else
#define isNext(h) !counted[h]
#endif
#define take(h, e) isFor(h, e) && isNext(h) && !pending[h] && !receipt[h] -> session[h] = e; counted[h] = true; pending[h] = true; early(h, e)
#define refuse(h, e) isFor(h, e) && isNext(h) && !pending[h] && !receipt[h] -> session[h] = e; counted[h] = true; refused[at(h, e, life[h])] = true
#ifdef ANSWER_BEFORE_SYNC
#define early(h, e) accepted[at(h, e, life[h])] = true
#else
#define early(h, e) skip
#endif

proctype Heir(byte h) {
end:
    do
    :: atomic { met(h, 1) }
    :: atomic { met(h, 2) }
    :: atomic { met(h, 3) }
    :: atomic { take(h, 1) }
    :: atomic { take(h, 2) }
    :: atomic { take(h, 3) }
    :: atomic { refuse(h, 1) }
    :: atomic { refuse(h, 2) }
    :: atomic { refuse(h, 3) }
    /* One write: the message and the receipt. The answer after it. */
    :: atomic { pending[h] -> pending[h] = false; owns[h] = true; receipt[h] = true;
        accepted[at(h, session[h], life[h])] = true; check() }
    :: atomic { owns[h] -> owns[h] = false; delivered++;
#ifdef NO_RECEIPT
        receipt[h] = false;
#endif
        check() }
    :: atomic { life[h] < NONCES - 1 -> life[h]++; session[h] = 0; counted[h] = false; pending[h] = false }
    od
}

init {
    atomic { life[0] = 1; life[1] = 1; run Heir(0); run Heir(1) }
}
