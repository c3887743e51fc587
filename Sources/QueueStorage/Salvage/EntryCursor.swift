/// Entries of one source in order of their keys, one at a time.
final class EntryCursor {
    private(set) var current: StoredEntry?
    private let next: () -> StoredEntry?

    init(_ next: @escaping () -> StoredEntry?) {
        self.next = next
        current = next()
    }

    func advance() { current = next() }

    /// Entries in memory, which need not be in order.
    static func of(_ entries: [StoredEntry]) -> EntryCursor {
        var rest = entries.sorted(by: StoredEntry.precedes)[...]
        return EntryCursor { rest.popFirst() }
    }

    /// The entries of a table, as far as its blocks read; `complain` hears of each that does not.
    static func of(_ window: FileWindow, complain: @escaping (String) -> Void) -> EntryCursor {
        var blocks = TableBlocks(window, complain: complain)
        var rest: ArraySlice<StoredEntry> = []
        return EntryCursor {
            while rest.isEmpty {
                guard let block = blocks.next() else { return nil }
                rest = block[...]
            }
            return rest.popFirst()
        }
    }
}

/// The blocks of entries of one table: by its index, or where that is lost, one behind the other.
private struct TableBlocks {
    private let window: FileWindow
    private let file: TableFile?
    private var handles: ArraySlice<TableBlock.Handle> = []
    private let complain: (String) -> Void
    /// Where the next block is looked for, if there is no index.
    private var offset: Int?

    init(_ window: FileWindow, complain: @escaping (String) -> Void) {
        self.window = window
        self.complain = complain
        do throws(TableFile.Damage) {
            let file = try TableFile(window)
            handles = try file.dataBlocks()[...]
            self.file = file
        } catch {
            complain(error.description)
            file = nil
            offset = 0
        }
    }

    mutating func next() -> [StoredEntry]? {
        if let file {
            while let handle = handles.popFirst() {
                do throws(TableFile.Damage) {
                    return Self.entries(try file.block(handle, "the block"))
                } catch {
                    complain(error.description)
                }
            }
            return nil
        }
        guard let start = offset else { return nil }
        offset = nil
        guard let handle = TableFile.blockFound(at: start, in: window),
            let stored = try? window.octets(at: start, count: handle.end - start),
            let block = TableBlock(stored: stored)
        else { return nil }
        let entries = Self.entries(block)
        // Behind the entries come index and properties, which look otherwise.
        guard !entries.isEmpty else { return nil }
        offset = handle.end
        return entries
    }

    private static func entries(_ block: TableBlock) -> [StoredEntry] {
        var entries: [StoredEntry] = []
        _ = block.forEach { key, value in
            if let entry = StoredEntry(internalKey: key, value: value) { entries.append(entry) }
        }
        return entries
    }
}

/// The newest version of each key that many sources hold, in order of the keys.
struct NewestEntries {
    private var cursors: [EntryCursor]

    init(_ cursors: [EntryCursor]) { self.cursors = cursors.filter { $0.current != nil } }

    /// The next key's newest version, be it a value or its removal.
    mutating func next() -> StoredEntry? {
        var least: StoredEntry?
        for cursor in cursors {
            guard let entry = cursor.current else { continue }
            if least.map({ StoredEntry.precedes(entry, $0) }) ?? true { least = entry }
        }
        guard var least else { return nil }
        for cursor in cursors {
            while let entry = cursor.current, entry.key == least.key {
                if least.kind == .blob, entry.sequence == least.sequence, entry.value != least.value {
                    least.twins.append(entry)
                }
                cursor.advance()
            }
        }
        cursors.removeAll { $0.current == nil }
        return least
    }
}
