/// Who asks: the process at the other end of the socket, as the kernel knows it.
package struct Caller: Hashable, Sendable {
    package var uid: UInt32
    package var gid: UInt32
    package var pid: Int32

    package init(uid: UInt32, gid: UInt32, pid: Int32) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
    }

    /// As it stands in holds, ledger lines and events: `operator:1000`.
    package var recordName: String { "operator:\(uid)" }
}
