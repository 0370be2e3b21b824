internal import Foundation
internal import JSON

/// A request body that the demo store answers.
struct RequestExample: Sendable {
    let name: String
    let summary: String
    let value: JSON

    /// For `POST /influence`.
    static let influence = [
        RequestExample(
            name: "shortest", summary: "The five strongest of each sign for one row",
            value: ["model": "digits", "tests": [["dataset": "digits-test", "index": 3]], "k": 5]),
        RequestExample(
            name: "lissa", summary: "LiSSA set by hand, at an early checkpoint",
            value: [
                "id": "a-1", "model": "digits", "checkpoint": "epoch-5",
                "tests": [["dataset": "digits-test", "index": 3, "target": 1]],
                "damping": 0.01,
                "solver": [
                    "name": "lissa", "recursion_depth": 200, "num_repeat": 2, "batch_size": 64, "scale": "auto", "seed": 7,
                ],
            ]),
        RequestExample(
            name: "groups", summary: "An exact answer for a drawing, with chosen examples and a group",
            value: [
                "model": "digits", "tests": [["input": drawing, "target": 1]], "curvature": "empirical_fisher", "damping": 0.1,
                "damping_mode": "relative", "solver": ["name": "exact"], "k": 3,
                "candidates": ["indices": [0, 1, 2, 3, 4, 5, 6, 7]],
                "groups": [["name": "first ten", "indices": .numbers((0..<10).map(Double.init))]],
                "include": ["inputs", "metadata", "all_scores", "s_test"], "deadline_ms": 1_000,
            ]),
        RequestExample(
            name: "aggregate", summary: "One answer for the mean of two losses, among each test's neighbours",
            value: [
                "model": "digits", "tests": [["dataset": "digits-test", "index": 3], ["input": packedDrawing]],
                "aggregate": "mean", "candidates": ["nearest_neighbors": 100],
            ]),
        RequestExample(
            name: "tracin", summary: "TracInCP over all checkpoints, with what each adds",
            value: [
                "model": "digits", "tests": [["dataset": "digits-test", "index": 3]], "method": "tracin_cp", "checkpoints": "all",
                "contributions": true, "k": 3,
            ]),
        RequestExample(
            name: "gradient-dot", summary: "Products of gradients",
            value: ["model": "digits", "tests": [["dataset": "digits-test", "index": 3]], "method": "gradient_dot"]),
        RequestExample(
            name: "relatif", summary: "Influence relative to what an example moves at all",
            value: [
                "model": "digits", "tests": [["dataset": "digits-test", "index": 3]],
                "method": "relatif", "relatif_method": "l", "denominators": ["name": "ekfac"],
            ]),
        RequestExample(
            name: "representer", summary: "What each example adds to the output for the label",
            value: [
                "model": "digits", "tests": [["dataset": "digits-test", "index": 3]],
                "method": "representer_point", "l2": 0.01, "k": 3,
            ]),
        RequestExample(
            name: "gradient-cosine", summary: "Similarity as the network sees it",
            value: [
                "model": "digits", "tests": [["dataset": "digits-test", "index": 3]],
                "method": "gradient_cosine",
            ]),
        RequestExample(
            name: "nearest", summary: "Nearest neighbours by the angle between inputs",
            value: [
                "model": "digits", "tests": [["dataset": "digits-test", "index": 3]],
                "method": "nearest_neighbor", "metric": "cosine", "layer": "input",
            ]),
        RequestExample(
            name: "trak", summary: "TRAK over two checkpoints",
            value: [
                "model": "digits", "tests": [["dataset": "digits-test", "index": 3]],
                "method": "trak", "gradients": "projected-normal-128-seed0-float32", "checkpoints": ["epoch-100", "final"],
                "damping": 0.1, "damping_mode": "relative",
            ]),
        RequestExample(
            name: "compare", summary: "One query under three methods",
            value: [
                "model": "digits", "tests": [["dataset": "digits-test", "index": 3]],
                "compare": ["influence", "tracin_cp", "gradient_cosine"], "solver": ["name": "exact"], "k": 3,
            ]),
        RequestExample(
            name: "contrast", summary: "Why a 2 and not a 9, by their logits",
            value: [
                "model": "digits", "tests": [["dataset": "digits-test", "index": 3, "target": 2, "versus": 9]],
                "measurement": "logit", "solver": ["name": "exact"],
            ]),
        RequestExample(
            name: "conditions", summary: "Groups by metadata and by label, among the neighbours by a layer",
            value: [
                "model": "digits", "tests": [["dataset": "digits-test", "index": 3]], "solver": ["name": "exact"],
                "candidates": ["nearest_neighbors": 100, "layer": "linear"],
                "groups": [
                    ["name": "much ink", "where": ["ink": ["min": 0.35]]], ["name": "twos and nines", "target": [2, 9]],
                ],
            ]),
        RequestExample(
            name: "gradient", summary: "A gradient in place of a test",
            value: ["model": "digits", "tests": [["gradient": .numbers((0..<650).map { $0 == 17 ? 1 : 0 })]]]),
    ]

    /// For `POST /influence/parameters`.
    static let parameters = [
        RequestExample(
            name: "removals", summary: "What leaving out one example, or ten, does to the weights",
            value: [
                "model": "digits", "examples": [17],
                "groups": [["name": "first ten", "indices": .numbers((0..<10).map(Double.init))]],
                "solver": ["name": "exact"], "k": 3, "include": ["influence", "metadata"],
            ])
    ]

    /// For `POST /self-influence`.
    static let selfInfluence = [
        RequestExample(
            name: "influence", summary: "The ten digits that most rest on themselves: look at their labels",
            value: ["model": "digits"]),
        RequestExample(
            name: "tracin", summary: "By the checkpoints of the training, with what each adds",
            value: [
                "model": "digits", "method": "tracin_cp", "checkpoints": "all", "contributions": true, "k": 5,
                "include": ["metadata", "inputs"],
            ]),
        RequestExample(
            name: "ekfac", summary: "By a solver that suits large networks, with all scores",
            value: [
                "model": "digits", "solver": ["name": "ekfac"], "damping": 0.01, "include": ["all_scores"],
            ]),
        RequestExample(
            name: "representer", summary: "By representer points of the last layer",
            value: ["model": "digits", "method": "representer_point", "k": 3]),
    ]

    /// For `POST /influence/slices`.
    static let slices = [
        RequestExample(
            name: "digits", summary: "Which digits of the training data move the losses of 3, 8 and 9",
            value: [
                "model": "digits",
                "training_slices": [
                    ["name": "3", "target": 3], ["name": "8 and 9", "target": [8, 9]],
                    ["name": "others", "target": ["not": [3, 8, 9]]],
                ],
                "test_slices": [
                    "dataset": "digits-test",
                    "slices": [["name": "3", "target": 3], ["name": "8", "target": 8], ["name": "9", "target": 9]],
                ], "solver": ["name": "exact"],
            ]),
        RequestExample(
            name: "rows", summary: "Under TracInCP, for a few rows, without correlations",
            value: [
                "model": "digits", "method": "tracin_cp", "correlations": false,
                "training_slices": [["name": "first ten", "indices": .numbers((0..<10).map(Double.init))]],
                "test_slices": ["dataset": "digits-test", "slices": [["name": "two", "indices": [3, 4]]]],
            ]),
    ]

    /// For `POST /predict`.
    static let predict = [
        RequestExample(
            name: "rows", summary: "Two rows of a dataset",
            value: [
                "model": "digits", "tests": [["dataset": "digits-test", "index": 3], ["dataset": "digits-test", "index": 4]],
            ]),
        RequestExample(
            name: "drawing", summary: "A drawing, and what is lost if it is a 1",
            value: ["id": "p-1", "model": "digits", "checkpoint": "final", "tests": [["input": drawing, "target": 1]]]),
    ]

    /// Eight rows of eight pixels, with something like a 1 on them.
    private static let drawing: JSON = .array(rows.map { .numbers($0.map(Double.init)) })

    private static let packedDrawing: JSON = [
        "dtype": "float32", "shape": [8, 8],
        "base64": .string(
            rows.joined().reduce(into: Data()) { data, pixel in
                withUnsafeBytes(of: pixel.bitPattern.littleEndian) { data.append(contentsOf: $0) }
            }.base64EncodedString()),
    ]

    private static let rows: [[Float]] = (0..<8).map { row in
        (0..<8).map { column in
            switch column {
            case 3, 4: 1
            case 2 where row == 1: 0.75
            case 1 where row == 2: 0.5
            default: 0
            }
        }
    }
}
