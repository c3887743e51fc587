internal import Convergence
internal import Cryptography
internal import MailValues

/// Why a statement was not believed. Nothing is learnt from it, but that its bearer is broken or lies.
package enum FactRefusal: String, Sendable, Hashable, CaseIterable {
    /// The origin is no member: evicted, or never admitted.
    case stranger
    /// The signature is not the origin's, or not of this cluster.
    case signature
    /// The statement does not belong to what was signed: bent, or put under another batch.
    case bent
    /// Of an incarnation of its origin that is over.
    case outdated
    /// More than the kind allows to one origin.
    case overBound
}

/// Says whether statements are their origins'. A batch's signature is checked once, however many statements
/// and bearers bring it.
struct FactVerifier: Sendable {
    /// Batches remembered as good in each of two generations; one check costs about 0.1 ms.
    static let generationCount = 4096

    private let cluster: ClusterID
    private var young: Set<SignedBatch> = []
    private var old: Set<SignedBatch> = []
    /// Signatures checked so far.
    private(set) var checks = 0

    init(cluster: ClusterID) { self.cluster = cluster }

    /// The batch as it is remembered, so that its statements share one copy; nil if its origin did not sign it.
    mutating func signed(_ batch: SignedBatch) -> SignedBatch? {
        if let index = young.firstIndex(of: batch) { return young[index] }
        let known = old.firstIndex(of: batch).map { old[$0] }
        if known == nil {
            guard (1...FactSigning.batchCountLongest).contains(batch.count), batch.root.count == 32,
                UInt64(batch.count) <= batch.last
            else { return nil }
            checks += 1
            let octets = FactSigning.signed(batch, cluster: cluster)
            guard Ed25519.verify(batch.signature, of: octets, by: batch.origin) else { return nil }
        }
        if young.count >= Self.generationCount {
            old = young
            young = []
        }
        young.insert(known ?? batch)
        return known ?? batch
    }

    /// The statement under the remembered batch, or why it is none.
    mutating func proven(_ fact: TravellingFact) -> Result<TravellingFact, FactRefusal> {
        guard let seal = fact.record.seal else { return .failure(.bent) }
        guard let batch = signed(seal.batch) else { return .failure(.signature) }
        guard let place = batch.leaf(of: fact.record.counter) else { return .failure(.bent) }
        var digest = SHA256()
        let leaf = MerkleTree.leaf(FactSigning.leaf(fact.record), using: &digest)
        let root = MerkleTree.climb(from: leaf, at: place, of: batch.count, by: seal.path, using: &digest)
        guard root == batch.root else { return .failure(.bent) }
        var fact = fact
        fact.record.seal = Seal(batch: batch, path: seal.path)
        return .success(fact)
    }
}

extension FactRefusal: Error {}
