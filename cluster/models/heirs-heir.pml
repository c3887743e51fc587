/* The heir leaves too, while the leaver has not heard its answer: whom the heir told of its receipts answers for it.
 *
 * How the message itself goes from one node to the next is shown in `leaving.pml`; here it goes in one step. The network
 * is the set of frames ever sent. The heir may begin to leave, think better of it, and leave later.
 *
 * twin NO_TESTAMENT: the heir's heir answers from what it was given itself
 * twin NOT_CLOSED: the heir takes offers after it has told its receipts
 * twin ASKED_TOO_SOON: the leaver asks the heir's heir while the heir is only silent
 * twin OLD_TESTAMENT: an older word of the heir replaces a newer one
 * twin OLD_ACKNOWLEDGEMENT: the heir leaves upon the acknowledgement of an older word
 * goal TAKEN: the heir took it, left, and its heir says so
 * goal NEVER: the heir left without it, and the leaver keeps it
 */
#define WORDS 3 /* 1 and 2 */

/* The frames sent. */
bool offer, accepted;
bool word[6];         /* the heir's receipts: number * 2 + has */
bool acknowledged[WORDS];
bool saidHas, saidNot; /* the heir's heir to the leaver */

/* Disks, but for what is said otherwise. */
bool mark, leaverHas = true;
bool given;            /* memory */
bool owns, receipt, closed, hasLeft;
byte leavings;         /* how often it began to leave: the number of its word */
bool cancelled;
bool heirOwns, heirWas;  /* the heir's heir has, or had, the message from the heir */
byte told;             /* the number of the word it keeps */
bool toldHas;
byte delivered;

inline check() {
    assert(((leaverHas && !mark) -> 1 : 0) + (owns -> 1 : 0) + (heirOwns -> 1 : 0) + delivered <= 1);
    assert(delivered == 1 || leaverHas || owns || heirOwns);
}

#ifdef NOT_CLOSED
#define mayTake (!hasLeft)
#else
#define mayTake (!hasLeft && !closed)
#endif

#ifdef ASKED_TOO_SOON
#define mayAsk (mark && leaverHas)
#else
#define mayAsk (mark && leaverHas && hasLeft)
#endif

active proctype Leaver() {
    bool asks;
end:
    do
    :: atomic { leaverHas && !mark && !offer -> mark = true }
    :: atomic { leaverHas && mark && !hasLeft -> offer = true }
    :: atomic { leaverHas && mark && accepted -> leaverHas = false; check() }
    :: atomic { mayAsk -> asks = true }
    :: atomic { asks && saidHas && mark && leaverHas -> leaverHas = false; check();
#ifdef TAKEN
        assert(false);
#endif
        }
    :: atomic { asks && saidNot && mark && leaverHas -> mark = false; check();
#ifdef NEVER
        assert(false);
#endif
        }
    od
}

active proctype TheHeir() {
end:
    do
    :: atomic { offer && mayTake && !receipt -> owns = true; receipt = true; accepted = true; check() }
    :: atomic { offer && !hasLeft && receipt -> accepted = true }
    :: atomic { owns && !hasLeft -> owns = false; delivered++; check() }
    /* It leaves: takes nothing more, gives what it has, tells of its receipts. */
    :: atomic { !closed && !hasLeft && leavings < WORDS - 1 -> closed = true; leavings++ }
    :: atomic { closed && !hasLeft && !cancelled -> cancelled = true; closed = false }
    :: atomic { closed && owns -> owns = false; heirOwns = true; heirWas = true; check() }
    :: atomic { closed && !hasLeft -> word[leavings * 2 + (receipt -> 1 : 0)] = true }
#ifdef OLD_ACKNOWLEDGEMENT
    :: atomic { closed && !owns && (acknowledged[1] || acknowledged[2]) -> hasLeft = true }
#else
    :: atomic { closed && !owns && acknowledged[leavings] -> hasLeft = true }
#endif
    od
}

#ifdef OLD_TESTAMENT
#define isNews(n) (told != n)
#else
#define isNews(n) (told < n)
#endif
#ifdef NO_TESTAMENT
#define knows true
#define knowsOf heirWas
#else
#define knows (told > 0)
#define knowsOf toldHas
#endif

/* A word is one write with its number; the number is sent with each part of it, and an unfinished one counts for nothing. */
#define hear(n, has) word[n * 2 + has] && isNews(n) -> told = n; toldHas = has; acknowledged[n] = true

active proctype HeirsHeir() {
end:
    do
    :: atomic { hear(1, 0) }
    :: atomic { hear(1, 1) }
    :: atomic { hear(2, 0) }
    :: atomic { hear(2, 1) }
    :: atomic { knows && mayAsk && knowsOf -> saidHas = true }
    :: atomic { knows && mayAsk && !knowsOf -> saidNot = true }
    :: atomic { heirOwns -> heirOwns = false; delivered++; check() }
    od
}
