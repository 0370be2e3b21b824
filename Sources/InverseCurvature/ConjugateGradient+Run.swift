internal import LinearAlgebra

extension ConjugateGradient {
    /// All right-hand sides on their way together: in each round every side that is not done has one vector multiplied.
    struct Run {
        private let solver: ConjugateGradient
        private let system: DampedCurvature
        private let rightHandSides: [Float]
        private let stacks: Stacks
        /// Those that are not done, in the order of their places in the stacks.
        private var sides: [Side] = []
        /// What is known of every side, first that s = 0 has the residual 1, or 0 where v = 0.
        private var solutions: [Float]
        private var residuals: [Double]
        private var iterations: [Int]

        /// Whether every side is done.
        var isDone: Bool { sides.isEmpty }

        init(
            _ solver: ConjugateGradient, _ rightHandSides: [Float], count: Int, system: DampedCurvature, stacks: Stacks
        ) throws {
            self.solver = solver
            self.system = system
            self.rightHandSides = rightHandSides
            self.stacks = stacks
            solutions = Array(repeating: 0, count: rightHandSides.count)
            iterations = Array(repeating: 0, count: count)
            let length = stacks.length
            let sizes = try stacks.sums(count) { position, piece in
                rightHandSides.withUnsafeBufferPointer {
                    let v = $0.baseAddress! + position * length + piece.lowerBound
                    return Vectors.dot(v, v, piece.count)
                }
            }
            guard sizes.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
            residuals = sizes.map { $0 == 0 ? 0 : 1 }
            guard solver.settings.maxIter > 0 else { return }
            let open = residuals.indices.filter { sizes[$0] > 0 && !(residuals[$0] <= solver.settings.tol) }
            // As far as single precision has the power of two and its inverse.
            let scales = open.map { Float(sign: .plus, exponent: -max(-126, min(126, sizes[$0].exponent >> 1)), significand: 1) }
            let squares = try stacks.sums(open.count) { position, piece in
                rightHandSides.withUnsafeBufferPointer {
                    let v = $0.baseAddress! + open[position] * length + piece.lowerBound
                    let r = stacks.r.start + position * length + piece.lowerBound
                    return Stacks.scaled(v, by: scales[position], to: r, piece.count)
                }
            }
            sides = open.indices.map { Side(index: open[$0], scale: scales[$0], squaredSize: squares[$0]) }
            try turn()
        }

        /// One round.
        mutating func advance() throws {
            try multiply()
            try step()
            try complete()
            try turn()
        }

        /// What the rounds led to.
        func solution() throws -> Solution {
            let tol = solver.settings.tol
            guard solutions.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
            return Solution(
                vectors: solutions, repeats: [], residuals: residuals, converged: residuals.map { $0 <= tol },
                iterations: iterations)
        }

        /// Multiplies p, or s where r is to be measured, and says each side what came of it.
        private mutating func multiply() throws {
            let (stacks, sides, shift, rightHandSides) = (stacks, sides, Float(system.shift), rightHandSides)
            let length = stacks.length
            _ = try stacks.sums(sides.count) { position, piece in
                let offset = position * length + piece.lowerBound
                let source = sides[position].isMeasuring ? stacks.s : stacks.p
                (stacks.q.start + offset).update(from: source.start + offset, count: piece.count)
                return 0
            }
            try system.data.product(
                of: stacks.q.start, to: stacks.q.start, vectorCount: sides.count, parallel: stacks.parallel,
                interruption: stacks.interruption)
            let values = try stacks.sums(sides.count) { position, piece in
                let side = sides[position]
                guard side.isMeasuring else { return stacks.shift(shift, position, piece) }
                return rightHandSides.withUnsafeBufferPointer {
                    stacks.measure(
                        shift, $0.baseAddress! + side.index * length + piece.lowerBound, by: side.scale, position, piece)
                }
            }
            guard values.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
            for (position, value) in values.enumerated() {
                if sides[position].isMeasuring {
                    if self.sides[position].take(measurement: value, solver.settings) { keep(position) }
                } else if !self.sides[position].take(curvature: value) {
                    throw indefinite(position)
                }
            }
        }

        /// Takes the steps that are due.
        private mutating func step() throws {
            let (stacks, steps) = (stacks, sides.map(\.step))
            guard steps.contains(where: { $0 != nil }) else { return }
            var values = try stacks.sums(sides.count) { position, piece in
                steps[position].map { stacks.step($0, position, piece) } ?? 0
            }
            let kept = sides.map { $0.step == nil ? [] : $0.kept }
            if kept.contains(where: { !$0.isEmpty }) {
                let squares = try stacks.orthogonalize(to: kept)
                for position in kept.indices where !kept[position].isEmpty { values[position] = squares[position] }
            }
            for position in steps.indices where steps[position] != nil {
                guard values[position].isFinite else { throw SolverError.notFinite }
                guard sides[position].take(squaredResidual: values[position], solver.settings) else {
                    throw indefinite(position)
                }
            }
        }

        private func indefinite(_ position: Int) -> SolverError {
            let direction = stacks.p.start + position * stacks.length
            let squared = Vectors.dot(direction, direction, stacks.length)
            return .indefinite(shift: system.shift, curvature: sides[position].curvature / squared)
        }

        /// Keeps a side's s as the best it has.
        private mutating func keep(_ position: Int) {
            let (start, index) = (position * stacks.length, sides[position].index * stacks.length)
            // By a power of two, which changes no bit.
            let factor = 1 / sides[position].scale
            for i in 0..<stacks.length { solutions[index + i] = factor * stacks.s.start[start + i] }
        }

        /// Lets go of the sides that are done.
        private mutating func complete() throws {
            guard sides.contains(where: \.isDone) else { return }
            var left: [Side] = []
            for (position, side) in sides.enumerated() {
                if side.isDone {
                    residuals[side.index] = side.residual ?? 1
                    iterations[side.index] = side.iterations
                } else {
                    try stacks.interruption.check()
                    if left.count < position { stacks.move(position, to: left.count) }
                    left.append(side)
                }
            }
            sides = left
        }

        /// Chooses the directions of the sides that step next.
        private mutating func turn() throws {
            guard sides.contains(where: { !$0.isMeasuring }) else { return }
            var products = sides.map(\.squaredResidual)
            let stacks = stacks
            if let preconditioner = solver.preconditioner {
                // Also for those that are measured next: a side that ends would leave a gap.
                try preconditioner.apply(
                    stacks.r.start, to: stacks.q.start, count: sides.count, parallel: stacks.parallel,
                    interruption: stacks.interruption)
                let length = stacks.length
                products = try stacks.sums(sides.count) { position, piece in
                    let offset = position * length + piece.lowerBound
                    return Vectors.dot(stacks.r.start + offset, stacks.q.start + offset, piece.count)
                }
            }
            // Where each side's z is.
            var sources = Array(repeating: stacks.r, count: sides.count)
            for position in sides.indices where !sides[position].isMeasuring {
                let isUsable = sides[position].take(rho: products[position])
                if isUsable, solver.preconditioner != nil { sources[position] = stacks.q }
                if sides[position].kept.count < solver.settings.orthogonalized {
                    try stacks.interruption.check()
                    sides[position].kept.append(kept(position, z: sources[position]))
                }
            }
            _ = try stacks.sums(sides.count) { [sides, sources] position, piece in
                if !sides[position].isMeasuring {
                    stacks.turn(to: sources[position], sides[position].momentum, position, piece)
                }
                return 0
            }
        }

        private func kept(_ position: Int, z: AlignedMemory<Float>) -> Kept {
            let r = stacks.copy(stacks.r, position)
            return Kept(r: r, z: z === stacks.r ? r : stacks.copy(z, position), rho: sides[position].rho)
        }
    }
}
