internal import Cryptography

/// A tree of SHA-256 over leaves, each of which can be shown to belong to the root by its path alone.
///
/// Leaves and inner nodes begin with different octets, so that no inner node can be passed off as a leaf. A
/// node without a neighbour moves up as it is; how many leaves there are says where that happens, and is
/// signed with the root.
enum MerkleTree {
    static let digestOctets = 32
    /// The leaf of a counter that was superseded before it was signed. Nothing is known to have this digest.
    static let emptyLeaf = [UInt8](repeating: 0, count: digestOctets)

    static func leaf(_ octets: [UInt8], using digest: inout SHA256) -> [UInt8] {
        digest.update([0])
        digest.update(octets)
        return digest.finish()
    }

    private static func inner(
        _ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, using digest: inout SHA256
    ) -> [UInt8] {
        digest.update([1])
        digest.update(left)
        digest.update(right)
        return digest.finish()
    }

    /// The root over leaves, and the paths of those asked for.
    static func build(
        _ leaves: [[UInt8]], paths places: [Int], using digest: inout SHA256
    ) -> (root: [UInt8], paths: [[UInt8]]) {
        precondition(!leaves.isEmpty, "a tree has leaves")
        var level = leaves
        var paths = [[UInt8]](repeating: [], count: places.count)
        var depth = 0
        while level.count > 1 {
            for (index, place) in places.enumerated() {
                let neighbour = (place >> depth) ^ 1
                if neighbour < level.count { paths[index] += level[neighbour] }
            }
            var next: [[UInt8]] = []
            next.reserveCapacity((level.count + 1) / 2)
            for index in stride(from: 0, to: level.count - 1, by: 2) {
                next.append(inner(level[index][...], level[index + 1][...], using: &digest))
            }
            if level.count % 2 == 1, let last = level.last { next.append(last) }
            level = next
            depth += 1
        }
        return (level[0], paths)
    }

    /// The root to which a leaf's path leads, or nil if the path has not the length that its place asks for.
    static func climb(
        from leaf: [UInt8], at place: Int, of count: Int, by path: [UInt8], using digest: inout SHA256
    ) -> [UInt8]? {
        var node = leaf
        var place = place
        var width = count
        var rest = path[...]
        while width > 1 {
            if place ^ 1 < width {
                guard rest.count >= digestOctets else { return nil }
                let neighbour = rest.prefix(digestOctets)
                rest = rest.dropFirst(digestOctets)
                node =
                    place & 1 == 0
                    ? inner(node[...], neighbour, using: &digest)
                    : inner(neighbour, node[...], using: &digest)
            }
            place >>= 1
            width = (width + 1) / 2
        }
        return rest.isEmpty ? node : nil
    }
}
