import Foundation

/// Whether `condition` comes to hold within a generous time.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<4_000 {
        if condition() { return true }
        usleep(5_000)
    }
    return false
}
