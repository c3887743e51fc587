package import Convergence
package import MailValues

extension SharedKnowledge {
    /// The name of a node in no cluster: all zeros, which is nobody's key.
    package static let nobody: NodeID = {
        guard let node = NodeID(octets: [UInt8](repeating: 0, count: NodeID.sizeOctets)) else {
            preconditionFailure("a node's name has as many octets as a name has")
        }
        return node
    }()

    /// Time since now, and the wall's.
    package static func systemClock() -> @Sendable () -> ClockReading {
        let began = ContinuousClock.now
        return {
            let elapsed = ContinuousClock.now - began
            return ClockReading(
                uptime: Uptime(milliseconds: elapsed.wholeMilliseconds), wall: WallClock.now())
        }
    }
}

extension ClusterSpeaker: FactSayer {}
