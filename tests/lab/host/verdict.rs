//! Reads the console: every scenario of the plan must have exactly one result line, and it must say PASS.

const RESULT: &str = "LAB ";

pub fn judge(console: &str, end: &str) -> Result<String, String> {
    // The kernel may have written to the same line before.
    let lines: Vec<&str> = console
        .lines()
        .filter_map(|line| Some(line.split_once(RESULT)?.1.trim_end()))
        .collect();
    let results = |state: &str, name: &str| {
        lines
            .iter()
            .filter(|line| {
                let mut words = line.split(' ');
                words.next() == Some(state) && words.next() == Some(name)
            })
            .count()
    };
    let report = lines.join("\n");
    let plan: Vec<&str> = lines
        .iter()
        .find_map(|line| line.strip_prefix("PLAN "))
        .map(|names| names.split_whitespace().collect())
        .unwrap_or_default();
    let mut complaints = Vec::new();
    for name in &plan {
        match (results("PASS", name), results("FAIL", name)) {
            (1, 0) => {}
            (0, 0) => complaints.push(format!("{name} has no result")),
            _ => complaints.push(format!("{name} failed")),
        }
    }
    if plan.is_empty() {
        complaints.push("no scenario was run".into());
    }
    if !lines.contains(&"DONE") {
        complaints.push("the lab did not come to its end".into());
    }
    if complaints.is_empty() {
        return Ok(report);
    }
    let last: Vec<&str> = console.lines().rev().take(15).collect();
    let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
    Err(format!(
        "{}; {end}\n{report}\n--- end of the console\n{last}",
        complaints.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn only_a_whole_run_passes() {
        assert!(
            judge(
                "LAB PLAN a b\nLAB PASS a x\n[1.0] LAB PASS b\r\nLAB DONE\n",
                ""
            )
            .is_ok()
        );
        assert!(judge("LAB PLAN a b\nLAB PASS a x\nLAB DONE\n", "").is_err());
        assert!(judge("LAB PLAN a\nLAB PASS a\n", "").is_err());
        assert!(judge("LAB PLAN a\nLAB FAIL a why\nLAB PASS a\nLAB DONE\n", "").is_err());
        assert!(judge("LAB PLAN\nLAB DONE\n", "").is_err());
        assert!(judge("", "").is_err());
    }
}
