internal import Formats

extension String {
    /// The text as a terminal may be given it, whatever names from files and arguments are in it: line by line, without control
    /// characters. Nothing is cut that a message holds.
    var legibleLines: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { String($0).legible(limit: 100_000) }.joined(
            separator: "\n")
    }
}

extension [String] {
    /// The names of a list, which may come from a file, on one line.
    var legibleList: String { joined(separator: ", ").legible(limit: 4_000) }
}
