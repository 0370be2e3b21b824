# Medians over the rounds, a row for each group (`wanted`) and number of connections, and the ratios of two groups (`ratio`).
# Input: group, connections, good per second, p50 and p99 in microseconds, good, refused, other, socket errors.
# Exits 1 for any answer other than good or refused, or a socket error of a group of ours (`ours`: "all", or else "ours").
function median(list, n, i, j, t, sorted) {
    for (i = 1; i <= n; i++) sorted[i] = list[i]
    for (i = 2; i <= n; i++) {
        t = sorted[i]
        for (j = i - 1; j >= 1 && sorted[j] > t; j--) sorted[j + 1] = sorted[j]
        sorted[j + 1] = t
    }
    return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

# The median of one column of one group.
function middle(group, connections, column, i, list, n) {
    n = count[group, connections]
    for (i = 1; i <= n; i++) list[i] = value[group, connections, column, i]
    return median(list, n)
}

# The ratio of the medians, and the least and greatest of the ratios within a round.
function compare(connections, column, i, r, low, high) {
    for (i = 1; i <= count[pair[1], connections]; i++) {
        r = value[pair[1], connections, column, i] / value[pair[2], connections, column, i]
        if (i == 1 || r < low) low = r
        if (i == 1 || r > high) high = r
    }
    return sprintf("%.2f (%.2f to %.2f)", middle(pair[1], connections, column) / middle(pair[2], connections, column), low, high)
}

{
    if (!($2 in seen)) { seen[$2]; order[++sizes] = $2 }
    n = ++count[$1, $2]
    for (column = 3; column <= 5; column++) value[$1, $2, column, n] = $column
    for (column = 6; column <= 9; column++) sum[$1, $2, column] += $column
    if ($8 > 0 || ($9 > 0 && (ours == "all" || $1 == "ours"))) failed = 1
}

END {
    groups = split(wanted, group, " ")
    split(ratio, pair, " ")
    row = "%-12s %11s %11s %10s %10s %10s %8s %6s %13s\n"
    printf row, title, "connections", "requests/s", "p50 ms", "p99 ms", "200", "429/503", "other", "socket errors"
    for (s = 1; s <= sizes; s++) for (g = 1; g <= groups; g++) {
        name = group[g]
        c = order[s]
        printf row, name, c, sprintf("%.0f", middle(name, c, 3)), sprintf("%.3f", middle(name, c, 4) / 1000), \
            sprintf("%.3f", middle(name, c, 5) / 1000), sum[name, c, 6], sum[name, c, 7], sum[name, c, 8], sum[name, c, 9]
    }
    for (s = 1; s <= sizes && ratio != ""; s++)
        printf "%s/%s at %4d connections: requests/s %s, p99 %s\n", pair[1], pair[2], order[s], \
            compare(order[s], 3), compare(order[s], 5)
    if (failed) print "FAILED: see the columns other and socket errors"
    exit failed
}
