//! Which failures may be the fault of a machine that was busy for a moment.

/// So many failures are no accident of a machine that was busy for a moment.
const ACCIDENTS: usize = 8;

/// What test programs said.
#[derive(Debug, Default)]
pub struct Heard {
    /// Tests, by name.
    pub failed: Vec<String>,
    /// As many as the programs themselves count.
    failures: usize,
    /// Programs that began, and that came to their end.
    begun: usize,
    ended: usize,
}

impl Heard {
    /// Whether the line is of use to people: a test that waits for its turn needs no word.
    pub fn heed(&mut self, line: &str) -> bool {
        if let Some(name) = line.strip_prefix("test ").and_then(|it| it.strip_suffix(" ... FAILED"))
        {
            self.failed.push(name.to_owned());
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.ended += 1;
            let count = counts.split("; ").find_map(|part| part.strip_suffix(" failed"));
            self.failures += count.and_then(|count| count.parse().ok()).unwrap_or(ACCIDENTS + 1);
        } else if line.starts_with("running ")
            && [" test", " tests"].iter().any(|end| line.ends_with(end))
        {
            self.begun += 1;
        }
        !line.ends_with("has been running for over 60 seconds")
    }

    /// A few tests failed, each known by name, and no program broke off with tests not run.
    pub fn are_accidents(&self) -> bool {
        (1..=ACCIDENTS).contains(&self.failures)
            && self.failed.len() == self.failures
            && self.begun == self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_failures_are_accidents_but_a_program_that_broke_off_is_none() {
        let accidents = |lines: &str| {
            let mut heard = Heard::default();
            lines.lines().for_each(|line| assert!(heard.heed(line)));
            heard.are_accidents().then_some(heard.failed)
        };
        let good = "running 2 tests\ntest a::b ... ok\ntest a::c ... ok\n\
                    test result: ok. 2 passed; 0 failed; 0 ignored; finished in 1 s\n";
        let one = "running 1 test\ntest a::b_c ... FAILED\n\
                   test result: FAILED. 0 passed; 1 failed; 0 ignored; finished in 1 s\n";
        let broken = "running 9 tests\ntest a::b ... ok\n";
        assert_eq!(accidents(good), None);
        assert_eq!(accidents(&format!("{good}{one}")), Some(vec!["a::b_c".to_owned()]));
        assert_eq!(accidents(&format!("{one}{broken}")), None, "tests were not run");
        assert_eq!(accidents(&one.replace("... FAILED", "... \nFAILED")), None, "no name");
        assert_eq!(accidents(&one.repeat(ACCIDENTS + 1)), None, "too many");
        assert_eq!(accidents(""), None, "nothing was built");
        assert!(!Heard::default().heed("test a::b has been running for over 60 seconds"));
    }
}
