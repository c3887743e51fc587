internal import Convergence
internal import Cryptography
internal import MailValues

/// The octets that an origin signs, and the closing of batches with them.
enum FactSigning {
    /// Counters in one batch: bounds the path of each to ten digests.
    static let batchCountLongest = 1024
    /// Octets of the longest path.
    static let pathOctetsLongest = 10 * MerkleTree.digestOctets

    /// Names the cluster: a statement of one cluster is none in another that the node may be a member of.
    static func signed(_ batch: SignedBatch, cluster: ClusterID) -> [UInt8] {
        signed(
            cluster, batch.origin, batch.incarnation, last: batch.last, count: batch.count, root: batch.root)
    }

    private static func signed(
        _ cluster: ClusterID, _ origin: NodeID, _ incarnation: UInt64, last: UInt64, count: Int, root: [UInt8]
    ) -> [UInt8] {
        var text = SignedText(.facts)
        text.add(cluster.octets)
        text.add(origin.octets)
        text.add(incarnation)
        text.add(last)
        text.add(UInt64(count))
        text.add(root)
        return text.octets
    }

    /// All that a statement says, so written that no two statements look alike.
    static func leaf(_ record: FactRecord) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(40 + record.sizeOctets)
        octets.append(big: record.counter)
        octets.append(big: UInt64(record.key.kind.rawValue))
        octets.append(big: record.lifetime.map { UInt64(bitPattern: $0) } ?? .max)
        octets.append(big: UInt64(bitPattern: record.stamp.milliseconds))
        octets.append(record.value == nil ? 0 : 1)
        octets.append(big: UInt64(record.key.subject.count))
        octets += record.key.subject
        octets += record.value ?? []
        return octets
    }

    /// Signs what was not yet signed: one signature, and each statement's way up to it.
    static func close(
        _ unsealed: Replica.Unsealed, incarnation: UInt64, cluster: ClusterID, key: Ed25519PrivateKey
    ) -> (batch: SignedBatch, paths: [[UInt8]]) {
        var digest = SHA256()
        var leaves = [[UInt8]](repeating: MerkleTree.emptyLeaf, count: unsealed.count)
        let places = unsealed.records.map { Int($0.counter - unsealed.first) }
        for (record, place) in zip(unsealed.records, places) {
            leaves[place] = MerkleTree.leaf(leaf(record), using: &digest)
        }
        let (root, paths) = MerkleTree.build(leaves, paths: places, using: &digest)
        let signature = key.sign(
            signed(cluster, key.node, incarnation, last: unsealed.last, count: leaves.count, root: root))
        let batch = SignedBatch(
            origin: key.node, incarnation: incarnation, last: unsealed.last, count: leaves.count, root: root,
            signature: signature)
        return (batch, paths)
    }
}

extension [UInt8] {
    fileprivate mutating func append(big word: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: word >> shift))
        }
    }
}
