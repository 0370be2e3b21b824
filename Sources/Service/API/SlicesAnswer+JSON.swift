internal import Attribution
internal import JSON
internal import Store

extension SlicesAnswer {
    /// The answer as the interface shows it. All but the timing depends on the request and the store alone.
    func json(id: String, queueMilliseconds: Double, totalMilliseconds: Double) -> JSON {
        var members: JSONObject = [
            "id": .string(id), "model": .string(model.record.name), "checkpoint": .string(model.checkpoint.name),
            "method": .string(request.scoring.method.name), "orientation": .string(scoring.orientation.text),
            "n_train": .integer(model.gradients.count),
            "training_slices": .array(
                zip(request.trainingSlices, trainingSizes).map { ["name": .string($0.name), "size": .integer($1)] }),
            "test_slices": .array(zip(request.testSlices, testSlices).map(json)),
            "matrix": .array(matrix.cells.map { row in .array(zip(row, testSlices).map(json)) }),
        ]
        if let correlations {
            members["correlations"] = .array(correlations.map { .array($0.map(json)) })
        }
        members["diagnostics"] = diagnostics
        members["timing"] = .timing(
            queue: queueMilliseconds, sTest: sTestMilliseconds, score: scoreMilliseconds, total: totalMilliseconds)
        return .object(members)
    }

    private func json(_ slice: SlicesRequest.Slice, _ tests: TestSlice) -> JSON {
        var members: JSONObject = ["name": .string(slice.name), "size": .integer(tests.size)]
        if let loss = tests.meanLoss { members["mean_loss"] = .double(loss) }
        if let accuracy = tests.accuracy { members["accuracy"] = .double(accuracy) }
        return .object(members)
    }

    private func json(_ cell: SliceStatistics, _ tests: TestSlice) -> JSON {
        var members: JSONObject = [:]
        if let mean = cell.mean { members["mean"] = .double(mean) }
        if let mean = cell.meanAbsolute { members["mean_absolute"] = .double(mean) }
        members["sum"] = .double(cell.sum)
        members["helpful"] = .integer(cell.helpful)
        members["harmful"] = .integer(cell.harmful)
        members["zero"] = .integer(cell.zero)
        if let mean = cell.meanHelpful { members["mean_helpful"] = .double(mean) }
        if let mean = cell.meanHarmful { members["mean_harmful"] = .double(mean) }
        if predictsChange {
            let change = cell.sum / Double(model.gradients.count) / Double(tests.size)
            members[scoring.orientation.nameOfChange] = .double(scoring.orientation.isRising ? -change : change)
        }
        return .object(members)
    }

    /// Whether sums of scores predict anything: relative scores of several examples have no unit together.
    private var predictsChange: Bool { type(of: request.scoring.method.choice).predictsChange && scoring.multipliers == nil }

    private func json(_ correlation: SliceCorrelation) -> JSON {
        var members: JSONObject = [:]
        if let spearman = correlation.spearman { members["spearman"] = .double(spearman) }
        if let kendall = correlation.kendall { members["kendall_tau"] = .double(kendall) }
        return .object(members)
    }

    /// Of the test that was solved least exactly, and how many were solved as they should be.
    private var diagnostics: JSON {
        guard let worst else { return [:] }
        var members = worst.answer.diagnostics(worst.answer.results[worst.result])
        // No ranking is shown.
        members["rank_stable"] = nil
        if scoring.solving != nil {
            members["converged"] = .bool(convergedCount == testCount)
            members["converged_tests"] = .integer(convergedCount)
        }
        return .object(members)
    }
}
