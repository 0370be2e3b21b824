extension TrainingSettings {
    func encode(to writer: inout TrainingWriter) {
        optimizer.encode(to: &writer)
        writer.write(epochs)
        writer.write(gradientNorm)
        writer.write(batchSize != nil)
        if let batchSize { writer.write(batchSize) }
        writer.write(seed)
        writer.write(measuresEpochs)
        checkpoints.encode(to: &writer)
    }

    /// Reads settings, which are not validated yet.
    init(from reader: inout TrainingReader) throws(TrainingError) {
        let optimizer = try Optimizer(from: &reader)
        let epochs = try reader.readInteger(Int.self, "the number of epochs")
        let gradientNorm = try reader.readNumber("the gradient norm")
        let batchSize = try reader.readFlag("having batches") ? reader.readInteger(Int.self, "the batch size") : nil
        let seed = try reader.readInteger(UInt64.self, "the seed")
        let measuresEpochs = try reader.readFlag("measuring epochs")
        self.init(
            optimizer: optimizer, epochs: epochs, gradientNorm: gradientNorm, batchSize: batchSize, seed: seed,
            measuresEpochs: measuresEpochs, checkpoints: try CheckpointPolicy(from: &reader))
    }
}

extension Optimizer {
    func encode(to writer: inout TrainingWriter) {
        switch self {
        case .lbfgs(let lbfgs):
            writer.write(UInt8(1))
            writer.write(lbfgs.history)
        case .newtonCG(let newton):
            writer.write(UInt8(2))
            writer.write(newton.maxProducts)
        case .sgd(let sgd):
            writer.write(UInt8(3))
            writer.write(sgd.learningRate)
            writer.write(sgd.momentum)
            writer.write(sgd.nesterov)
            sgd.schedule.encode(to: &writer)
        case .adam(let adam):
            writer.write(UInt8(4))
            writer.write(adam.learningRate)
            writer.write(adam.beta1)
            writer.write(adam.beta2)
            writer.write(adam.epsilon)
            adam.schedule.encode(to: &writer)
        }
    }

    init(from reader: inout TrainingReader) throws(TrainingError) {
        switch try reader.readInteger(UInt8.self, "the optimiser") {
        case 1:
            self = .lbfgs(LBFGS(history: try reader.readInteger(Int.self, "the history")))
        case 2:
            self = .newtonCG(NewtonCG(maxProducts: try reader.readInteger(Int.self, "the most products")))
        case 3:
            let rate = try reader.readNumber("the learning rate")
            let momentum = try reader.readNumber("the momentum")
            let nesterov = try reader.readFlag("Nesterov's momentum")
            self = .sgd(
                SGD(
                    learningRate: rate, momentum: momentum, nesterov: nesterov,
                    schedule: try LearningRateSchedule(from: &reader)))
        case 4:
            let rate = try reader.readNumber("the learning rate")
            let beta1 = try reader.readNumber("the first moment's decay")
            let beta2 = try reader.readNumber("the second moment's decay")
            let epsilon = try reader.readNumber("epsilon")
            self = .adam(
                Adam(
                    learningRate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon,
                    schedule: try LearningRateSchedule(from: &reader)))
        case let other:
            throw .damaged(reason: "\(other) is no optimiser")
        }
    }
}

extension LearningRateSchedule {
    func encode(to writer: inout TrainingWriter) {
        switch self {
        case .constant:
            writer.write(UInt8(0))
        case .step(let epochs, let factor):
            writer.write(UInt8(1))
            writer.write(epochs)
            writer.write(factor)
        case .cosine(let epochs, let floor):
            writer.write(UInt8(2))
            writer.write(epochs)
            writer.write(floor)
        }
    }

    init(from reader: inout TrainingReader) throws(TrainingError) {
        switch try reader.readInteger(UInt8.self, "the schedule") {
        case 0:
            self = .constant
        case 1:
            let epochs = try reader.readInteger(Int.self, "the schedule's epochs")
            self = .step(epochs: epochs, factor: try reader.readNumber("the schedule's factor"))
        case 2:
            let epochs = try reader.readInteger(Int.self, "the schedule's epochs")
            self = .cosine(epochs: epochs, floor: try reader.readNumber("the schedule's floor"))
        case let other:
            throw .damaged(reason: "\(other) is no schedule")
        }
    }
}

extension CheckpointPolicy {
    func encode(to writer: inout TrainingWriter) {
        let (kind, numbers): (UInt8, [Int]) =
            switch self {
            case .final: (0, [])
            case .every(let period): (1, [period])
            // Sorted, for the same run to be the same bytes.
            case .epochs(let epochs): (2, epochs.sorted())
            case .largestFalls(let count, let first): (3, [count, first])
            }
        writer.write(kind)
        writer.write(numbers.count)
        for number in numbers { writer.write(number) }
    }

    init(from reader: inout TrainingReader) throws(TrainingError) {
        let kind = try reader.readInteger(UInt8.self, "the policy")
        let count = try reader.readCount("the policy's numbers", atMost: reader.mostFloats)
        var numbers: [Int] = []
        for _ in 0..<count { numbers.append(try reader.readInteger(Int.self, "the policy's numbers")) }
        switch (kind, numbers.count) {
        case (0, 0): self = .final
        case (1, 1): self = .every(numbers[0])
        case (2, _) where zip(numbers, numbers.dropFirst()).allSatisfy(<): self = .epochs(Set(numbers))
        case (3, 2): self = .largestFalls(count: numbers[0], from: numbers[1])
        default: throw .damaged(reason: "\(kind) is no policy of \(numbers.count) numbers")
        }
    }
}
