import Testing

@testable import Service

@Suite("The text format of Prometheus")
struct ExpositionTests {
    private func text(_ write: (inout ExpositionWriter) -> Void) -> String {
        var writer = ExpositionWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test("a family is its help, its type and its samples")
    func family() {
        let family = MetricFamily.counter("a_total", "Things.")
        #expect(
            text { $0.write(family, 3) } == """
                # HELP a_total Things.
                # TYPE a_total counter
                a_total 3

                """)
    }

    @Test("label values escape backslash, quotation mark and line feed; help escapes backslash and line feed")
    func escapes() throws {
        var writer = ExpositionWriter()
        writer.begin(.gauge("g", "a\\b\nc \"d\""))
        writer.sample("g", [("x", "a\\b\nc \"d\" é"), ("y", "")], 1)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self) == #"""
                # HELP g a\\b\nc "d"
                # TYPE g gauge
                g{x="a\\b\nc \"d\" é",y=""} 1

                """#)
        let read = try Exposition(writer.bytes)
        #expect(read.families["g"]?.help == "a\\b\nc \"d\"")
        #expect(read.value("g", ["x": "a\\b\nc \"d\" é", "y": ""]) == 1)
    }

    @Test(
        "numbers are written as Go reads them",
        arguments: [
            (0, "0.0"), (0.1, "0.1"), (1e-7, "1e-07"), (-2.5, "-2.5"), (1e300, "1e+300"), (.infinity, "+Inf"),
            (-.infinity, "-Inf"),
            (.nan, "NaN"),
        ] as [(Double, String)])
    func numbers(value: Double, text: String) { #expect(ExpositionWriter.text(value) == text) }

    @Test("an observation falls in the first bucket whose bound it does not exceed")
    func buckets() {
        var histogram = Histogram()
        for seconds in [0.0005, 0.000_51, 60, 60.1, 1e9] { histogram.observe(seconds) }
        #expect(histogram.counts[0] == 1 && histogram.counts[1] == 1)
        #expect(histogram.counts.suffix(2) == [1, 2])
        #expect(abs(histogram.sum - 1_000_000_120.101_01) < 1e-3)
    }

    @Test("observations that no clock should give count as zero", arguments: [-1, .nan, .infinity, -.infinity] as [Double])
    func impossible(seconds: Double) {
        var histogram = Histogram()
        histogram.observe(seconds)
        #expect(histogram.counts[0] == 1 && histogram.sum == 0)
    }

    @Test("buckets are cumulative, the last is +Inf, and sum and count follow")
    func histogram() throws {
        var histogram = Histogram()
        for seconds in [0.25, 0.25, 4] { histogram.observe(seconds) }
        var writer = ExpositionWriter()
        writer.begin(.histogram("h_seconds", "H."))
        writer.histogram("h_seconds", [("route", "/a")], histogram)
        let read = try Exposition(writer.bytes)
        func bucket(_ bound: String) -> Double? { read.value("h_seconds_bucket", ["route": "/a", "le": bound]) }
        #expect(bucket("0.1") == 0 && bucket("0.25") == 2 && bucket("2.5") == 2 && bucket("5.0") == 3 && bucket("+Inf") == 3)
        #expect(read.value("h_seconds_sum", ["route": "/a"]) == 4.5)
        #expect(read.value("h_seconds_count", ["route": "/a"]) == 3)
    }

    @Test(
        "the tests' own reader refuses what is not in order",
        arguments: [
            "a 1", "# TYPE a gauge\na 1\n", "# HELP a A\n# TYPE a gauge\na 1\na 2\n",
            "# HELP a A\n# TYPE a gauge\na{b=\"\\x\"} 1\n",
            "# HELP a A\n# TYPE a gauge\nb 1\n", "# HELP a A\n# TYPE a counter\na 1\n", "# HELP a A\n# TYPE a gauge\na inf\n",
            "# HELP h H\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n",
            "# HELP h H\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        ])
    func reader(text: String) {
        #expect(throws: Exposition.Fault.self) { try Exposition(Array(text.utf8)) }
    }
}
