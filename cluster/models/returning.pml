/* A message comes back: the leaver stays after all, its heir leaves and gives the message to it, and it leaves again.
 *
 * Marks and receipts bear the epoch of the leaving; only a receipt of the mark's own epoch is an answer to it.
 *
 * How offers of an ended session die is shown in `leaving.pml`; here the heir takes none that is not above `floor`.
 *
 * twin SETTLED_STAYS_OPEN: the heir forgets receipts, and takes late offers of the same session
 * twin NO_EPOCH: a receipt is an answer whatever its epoch
 * twin TAKES_WHAT_IT_HAS: the leaver takes a message of which it still has a record
 * twin FORGETS_TOO_SOON: the heir forgets receipts when the leaver says that older ones are settled
 * goal AGAIN: it goes, comes back, and goes again
 */
#define EPOCHS 3 /* 1 and 2 */

/* The frames sent. */
bool offer[EPOCHS], accepted[EPOCHS];
bool settled[EPOCHS]; /* "I have no mark of this epoch or an older one, nor will I" */

/* The leaver: its record, the mark in it, the epoch of the last mark. */
bool has = true;
byte mark = 0;
byte epoch = 0;
/* The heir: the message, and the epoch of its receipt. */
bool owns = false;
byte receipt = 0;
byte floor = 0;
byte delivered = 0;

inline check() {
    assert(((has && mark == 0) -> 1 : 0) + (owns -> 1 : 0) + delivered <= 1);
    assert(delivered == 1 || has || owns);
}

#ifdef NO_EPOCH
#define isAnswer(e) (mark > 0)
#define isOffered(e) (receipt == 0 && e > floor)
#define hasReceipt(e) (receipt > 0)
#else
#define isAnswer(e) (mark == e)
#define isOffered(e) (receipt < e && e > floor)
#define hasReceipt(e) (receipt == e)
#endif
#ifdef TAKES_WHAT_IT_HAS
#define mayReturn (owns)
#else
#define mayReturn (owns && !has)
#endif
#ifdef SETTLED_STAYS_OPEN
#define close(e) skip
#else
#define close(e) floor = (floor > e -> floor : e)
#endif
#ifdef FORGETS_TOO_SOON
#define isSettled(e) (receipt > 0)
#else
#define isSettled(e) (receipt > 0 && receipt <= e)
#endif

active proctype Leaver() {
end:
    do
    :: atomic { has && mark == 0 && epoch < EPOCHS - 1 -> epoch++; mark = epoch }
    :: atomic { has && mark > 0 -> offer[mark] = true }
    :: atomic { has && isAnswer(1) && accepted[1] -> has = false; mark = 0; check() }
    :: atomic { has && isAnswer(2) && accepted[2] -> has = false; mark = 0; check();
#ifdef AGAIN
        assert(false);
#endif
        }
    :: atomic { mark == 0 && epoch > 0 -> settled[epoch] = true }
    :: atomic { has && mark == 0 -> has = false; delivered++; check() }
    od
}

active proctype TheHeir() {
end:
    do
    :: atomic { offer[1] && isOffered(1) -> owns = true; receipt = 1; accepted[1] = true; check() }
    :: atomic { offer[2] && isOffered(2) -> owns = true; receipt = 2; accepted[2] = true; check() }
    :: atomic { offer[1] && hasReceipt(1) -> accepted[1] = true }
    :: atomic { offer[2] && hasReceipt(2) -> accepted[2] = true }
    :: atomic { settled[1] && isSettled(1) -> receipt = 0; close(1) }
    :: atomic { settled[2] && isSettled(2) -> receipt = 0; close(2) }
    :: atomic { owns -> owns = false; delivered++; check() }
    /* It gives the message back, as one that leaves. */
    :: atomic { mayReturn -> owns = false; has = true;
#ifndef TAKES_WHAT_IT_HAS
        mark = 0;
#endif
        check() }
    od
}
