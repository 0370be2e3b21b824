internal import Foundation

// Foundation's elementary functions under names that do not collide with ours.
func logarithm(_ x: Double) -> Double { Foundation.log(x) }
func cosine(_ x: Double) -> Double { Foundation.cos(x) }
