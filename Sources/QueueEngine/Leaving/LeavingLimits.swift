/// What a leaving may cost either side at a time, and how long it waits.
package struct LeavingLimits: Sendable, Equatable {
    /// Messages offered to one heir and not yet answered.
    package var windowMessages = 2_048
    /// Their octets; one message always may, whatever its size.
    package var windowOctets = 16 << 20
    /// Messages marked in one write.
    package var markBatch = 256
    /// Writes of marks under way at a time, for all heirs: the next gathers while one is on its way to the disk.
    package var marksUnderWay = 4
    /// Ranges in one probe.
    package var rangesPerProbe = 128
    /// Receipts listed for one range; more are split.
    package var listedReceipts = 64
    /// Parts that a range is split into.
    package var rangeFanOut = 16
    /// Receipts in one part of a testament.
    package var testamentReceipts = 4_096
    /// Large messages that an heir fetches from one leaver at a time.
    package var fetches = 4
    /// Answers in one frame.
    package var answersPerFrame = 1_024
    /// Octets of one frame of the link, into which many of ours are packed.
    package var packOctets = 512 << 10
    /// Octets of one of our frames: a message in one piece with all its recipients, or one piece of it.
    package var frameOctets = 8 << 20

    /// A question that was not answered is asked again.
    package var patience: Duration = .seconds(3)
    /// An heir that owes answers and says nothing: the session is begun anew.
    package var patienceForAnswers: Duration = .seconds(10)
    /// An heir that has no room is asked again after this.
    package var restWhenFull: Duration = .seconds(5)
    /// What could not be offered now, since it is being attempted, is looked at again after this; so is what an heir has in
    /// hand already.
    package var restWhenBusy: Duration = .milliseconds(500)

    package init() {}
}
