package import MailValues

/// Both sides of leaving in one node: it may leave, and take over from others, at the same time or not.
package struct Succession: Sendable {
    private let me: NodeID
    package private(set) var leaver: Leaver
    package private(set) var heir: Heir

    /// - Parameters:
    ///   - epoch: of the last leaving, as the store has it.
    ///   - nonce: drawn for this life.
    package init(me: NodeID, epoch: UInt64, nonce: UInt64, limits: LeavingLimits = LeavingLimits()) {
        self.me = me
        leaver = Leaver(me: me, epoch: epoch, limits: limits)
        heir = Heir(me: me, nonce: nonce, limits: limits)
    }

    package enum Event: Sendable, Equatable {
        case leaver(Leaver.Event)
        case heir(Heir.Event)
        case frame(LeavingFrame, from: NodeID)
        case member(NodeID, Leaver.Standing)
        case tick
    }

    package enum Action: Sendable, Equatable {
        case leaver(Leaver.Action)
        case heir(Heir.Action)
        case send(LeavingFrame, to: NodeID)
    }

    package mutating func handle(_ event: Event, now: Uptime, _ actions: inout [Action]) {
        var ofLeaver: [Leaver.Action] = []
        var ofHeir: [Heir.Action] = []
        switch event {
        case .leaver(let event): leaver.handle(event, now: now, &ofLeaver)
        case .heir(let event): heir.handle(event, now: now, &ofHeir)
        case .frame(let frame, let node):
            if frame.isForHeir {
                heir.handle(.frame(frame, from: node), now: now, &ofHeir)
            } else {
                leaver.handle(.frame(frame, from: node), now: now, &ofLeaver)
            }
        case .member(let node, let standing):
            leaver.handle(.member(node, standing), now: now, &ofLeaver)
            if standing == .left { heir.handle(.left(node), now: now, &ofHeir) }
        case .tick:
            leaver.handle(.tick, now: now, &ofLeaver)
            heir.handle(.tick, now: now, &ofHeir)
        }
        for case .closeToOffers(let isClosed) in ofLeaver {
            heir.handle(.close(isClosed), now: now, &ofHeir)
        }
        if leaver.needsReceipts, let books = heir.tell() {
            leaver.handle(.receipts(books), now: now, &ofLeaver)
        }
        for action in ofLeaver {
            switch action {
            case .send(let frame, let node): send(frame, to: node, now: now, &actions)
            case .closeToOffers: break
            case .stopIntake, .resumeIntake, .readQueue, .writeEpoch, .mark, .unmark, .remove, .writeLeft,
                .left:
                actions.append(.leaver(action))
            }
        }
        for action in ofHeir {
            switch action {
            case .send(let frame, let node): send(frame, to: node, now: now, &actions)
            case .adopt, .writeChunk, .forget, .keepTestament: actions.append(.heir(action))
            }
        }
    }

    /// A node that answers for another which left may have to ask itself.
    private mutating func send(
        _ frame: LeavingFrame, to node: NodeID, now: Uptime, _ actions: inout [Action]
    ) {
        if node == me {
            handle(.frame(frame, from: me), now: now, &actions)
        } else {
            actions.append(.send(frame, to: node))
        }
    }
}

extension LeavingFrame {
    /// Whom it concerns: the hearer as an heir, or as one that leaves.
    var isForHeir: Bool {
        switch self {
        case .open, .probe, .offer, .piece, .testament: true
        case .opened, .found, .answers, .fetch, .ended, .testamentKept: false
        }
    }
}
