extension TrainingError {
    /// Refuses a setting unless a condition holds; one that is false of NaN refuses NaN.
    static func require(_ condition: Bool, _ setting: String, _ reason: @autoclosure () -> String) throws(TrainingError) {
        guard condition else { throw .invalid(setting: setting, reason: reason()) }
    }

    /// Refuses a learning rate that is no positive number, also in single precision.
    static func require(rate: Double) throws(TrainingError) {
        try require(
            rate > 0 && Float(rate).isNormal, "learning_rate",
            "\(rate) is not a positive number of single precision; 0.1 is a common start")
    }
}
