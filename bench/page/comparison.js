// The page of bench_report.

function drawComparison(page, data) {}
