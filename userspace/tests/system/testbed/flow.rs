//! The plain flow file that most tests need.

/// One flow `f` from west to east; `settings` are its keys, a line each, such as
/// `rate = "1kpps"`.
pub(crate) fn one_flow(settings: &str) -> String {
    format!(
        r#"
        [[flow]]
        name = "f"
        tx = "west"
        rx = "east"
        size = 128
        {settings}
        layers = [
          {{eth = {{dst = "02:00:00:00:00:02"}}}},
          {{ipv4 = {{src = "198.18.0.2", dst = "198.18.1.1"}}}},
          {{udp = {{src = 49184, dst = 7}}}},
        ]
        "#
    )
}
