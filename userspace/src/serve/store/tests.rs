//! The store by itself; that it survives `kill -9` is a system test.

use super::*;
use serde_json::json;

fn store(retain_runs: u32) -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store.db"), retain_runs).unwrap();
    (directory, store)
}

fn result(verdict: &str) -> JsonText {
    json!({"schema": "linerate.run/1", "verdict": verdict}).into()
}

#[test]
fn a_flow_set_is_kept_changed_and_removed_and_its_name_is_its_own() {
    let (directory, store) = store(10);
    let spec = json!({"flow": [{"name": "f"}]}).into();
    let set = store.add_flow_set("a", &spec).unwrap();
    assert!(matches!(store.add_flow_set("a", &spec), Err(StoreError::Taken { .. })));
    let other = store.add_flow_set("b", &spec).unwrap();
    assert!(matches!(store.change_flow_set(other.id, "a", &spec), Err(StoreError::Taken { .. })));
    let changed = store.change_flow_set(other.id, "c", &json!({}).into()).unwrap().unwrap();
    assert_eq!((changed.name.as_str(), changed.spec.as_str()), ("c", "{}"));
    assert_eq!(store.flow_set(other.id).unwrap(), Some(changed));
    drop(store);
    let store = Store::open(&directory.path().join("store.db"), 10).unwrap();
    assert_eq!(store.flow_set(set.id).unwrap(), Some(set.clone()));
    assert_eq!(store.flow_sets(set.id, 10).unwrap().len(), 1);
    assert!(store.remove_flow_set(set.id).unwrap());
    assert!(!store.remove_flow_set(set.id).unwrap());
    assert_eq!(store.change_flow_set(set.id, "d", &spec).unwrap(), None);
}

#[test]
fn a_run_that_the_daemon_did_not_end_is_invalid_when_the_store_opens_again() {
    let (directory, store) = store(10);
    let done = store.add_run("done", None, &json!({}).into()).unwrap().id;
    store.run_ended(done, Ok(&result("ok"))).unwrap();
    let cut = store.add_run("cut", Some(3), &json!({}).into()).unwrap().id;
    store.run_started(cut).unwrap();
    drop(store);
    let store = Store::open(&directory.path().join("store.db"), 10).unwrap();
    let cut = store.run(cut).unwrap().unwrap();
    assert_eq!((cut.state, cut.verdict.as_deref()), (RunState::Failed, Some("invalid")));
    assert!(cut.reason.unwrap().contains("daemon ended"));
    assert_eq!(store.run(done).unwrap().unwrap().state, RunState::Done);
    assert_eq!(store.run_result(done).unwrap().as_deref(), Some(result("ok").as_str()));
}

#[test]
fn only_so_many_runs_are_kept_and_none_that_goes_on() {
    let (_directory, store) = store(3);
    let endless = store.add_run("endless", None, &json!({}).into()).unwrap().id;
    store.run_started(endless).unwrap();
    let ids: Vec<_> = (0..6)
        .map(|_| {
            let id = store.add_run("r", None, &json!({}).into()).unwrap().id;
            store.run_ended(id, Err("because")).unwrap();
            id
        })
        .collect();
    let kept: Vec<_> = store.runs(u64::MAX, 100).unwrap().iter().map(|run| run.id).collect();
    assert_eq!(kept, [ids[5], ids[4], ids[3], endless]);
    assert_eq!(store.runs(ids[4], 1).unwrap()[0].id, ids[3]);
}

#[test]
fn samples_come_back_in_order_and_old_ones_go() {
    let (_directory, store) = store(3);
    let run = store.add_run("r", None, &json!({}).into()).unwrap().id;
    let row = |t| -> crate::report::SampleRow {
        serde_json::from_value(json!({"t": t, "tx_frames": 1, "rx_frames": null, "tx_pps": 1.5,
            "rx_pps": null, "tx_bps_l2": 2.0, "rx_bps_l2": null, "loss_ratio": null,
            "p50_ns": null, "p99_ns": null, "p999_ns": null, "max_ns": null}))
        .unwrap()
    };
    for t in 1..=5 {
        let samples = vec![row(t)];
        store.add_samples(run, t, &[StoredSamples { name: "f".into(), samples }], 3).unwrap();
    }
    assert_eq!(store.samples(run, "f").unwrap(), [row(3), row(4), row(5)]);
    assert_eq!(store.samples(run, "g").unwrap(), []);
    store.forget_run(run).unwrap();
    assert_eq!(store.samples(run, "f").unwrap(), [], "samples go with their run");
}

#[test]
fn an_archive_carries_all_to_another_store_or_nothing() {
    let (_one, from) = store(10);
    from.add_flow_set("a", &json!({"flow": []}).into()).unwrap();
    let run = from.add_run("r", None, &json!({"flow": [1]}).into()).unwrap().id;
    from.run_ended(run, Ok(&result("loss"))).unwrap();
    from.add_run("under way", None, &json!({}).into()).unwrap();
    let mut written = Vec::new();
    from.export(&mut written).unwrap();
    let archive: Archive = serde_json::from_slice(&written).unwrap();
    assert_eq!((archive.flow_sets.len(), archive.runs.len()), (1, 1));
    assert_eq!(serde_json::to_vec(&archive).unwrap(), written, "the document is an archive");

    let (_two, to) = store(10);
    to.import(&archive).unwrap();
    assert_eq!(to.flow_sets(0, 10).unwrap()[0].name, "a");
    let imported = to.runs(u64::MAX, 10).unwrap();
    assert_eq!(imported[0].verdict.as_deref(), Some("loss"));
    assert_eq!(to.run_result(imported[0].id).unwrap().as_deref(), Some(result("loss").as_str()));
    assert!(matches!(to.import(&archive), Err(StoreError::Taken { .. })));
    assert_eq!(to.runs(u64::MAX, 10).unwrap().len(), 1, "nothing of the second import");
    let other =
        Archive { schema: "x".into(), flow_sets: Vec::new(), runs: Vec::new(), suites: Vec::new() };
    assert!(matches!(to.import(&other), Err(StoreError::Unfit { .. })));
}

#[test]
fn a_store_of_a_newer_program_is_left_alone() {
    let (directory, store) = store(10);
    store.connection().pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    let opened = Store::open(&directory.path().join("store.db"), 10);
    assert!(matches!(opened, Err(StoreError::Newer { version: 99, .. })), "{opened:?}");
}

fn suite(store: &Store) -> u64 {
    let (kind, backend) = (crate::suite::SuiteKind::Rfc2544, crate::serve::engine::Backend::Auto);
    let spec = json!({"sizes": [64]}).into();
    store.add_suite(&NewSuite { name: "s".into(), kind, spec, flow_set: None, backend }).unwrap().id
}

fn over(state: SuiteState, verdict: &str) -> SuiteOutcome<'_> {
    let (result, trials) = (Some("{}"), Some("[]"));
    SuiteOutcome { state, verdict, reason: None, result, trials }
}

#[test]
fn rows_of_trials_are_those_of_the_newest_end_of_a_suite() {
    let (_directory, store) = store(10);
    let id = suite(&store);
    store.keep_trial_rows(id, "[1]").unwrap();
    assert_eq!(store.trial_rows(id).unwrap(), None, "it is not over");
    store.suite_ended(id, &SuiteOutcome { trials: None, ..over(SuiteState::Failed, "x") }).unwrap();
    store.keep_trial_rows(id, "[1]").unwrap();
    assert_eq!(store.trial_rows(id).unwrap().as_deref(), Some("[1]"));
    store.suite_stands(id, SuiteState::Starting).unwrap();
    store.suite_started(id).unwrap();
    assert_eq!(store.trial_rows(id).unwrap(), None, "it goes on");
    store.suite_ended(id, &over(SuiteState::Done, "pass")).unwrap();
    store.keep_trial_rows(id, "[1]").unwrap();
    assert_eq!(store.trial_rows(id).unwrap().as_deref(), Some("[]"));
}

#[test]
fn trials_of_a_suite_outlive_the_daemon_and_go_with_the_suite() {
    let (directory, store) = store(10);
    let id = suite(&store);
    store.keep_trials(id, 0, &["head".into(), "one".into()]).unwrap();
    // What was not known to be kept comes again.
    store.keep_trials(id, 1, &["one".into(), "two".into()]).unwrap();
    store.suite_started(id).unwrap();
    drop(store);
    let store = Store::open(&directory.path().join("store.db"), 10).unwrap();
    assert_eq!(store.trials(id).unwrap(), ["head", "one", "two"]);
    let row = store.suite(id).unwrap().unwrap();
    assert_eq!((row.state, row.verdict.as_deref()), (SuiteState::Failed, Some("invalid")));
    assert!(store.remove_suite(id).unwrap() && !store.remove_suite(id).unwrap());
    assert!(store.trials(id).unwrap().is_empty());
}

#[test]
fn a_suite_that_is_over_before_its_start_is_known_stays_over() {
    let (_directory, store) = store(10);
    let id = suite(&store);
    store.suite_ended(id, &over(SuiteState::Done, "pass")).unwrap();
    store.suite_started(id).unwrap();
    let row = store.suite(id).unwrap().unwrap();
    assert_eq!((row.state, row.verdict.as_deref()), (SuiteState::Done, Some("pass")));
    store.forget_suite(id).unwrap();
    assert!(store.suite(id).unwrap().is_some());
}

#[test]
fn only_so_many_suites_are_kept_and_none_that_goes_on() {
    let (_directory, store) = store(2);
    let (endless, resumed) = (suite(&store), suite(&store));
    store.suite_started(endless).unwrap();
    store.suite_ended(resumed, &over(SuiteState::Stopped, "invalid")).unwrap();
    store.suite_stands(resumed, SuiteState::Starting).unwrap();
    let ids: Vec<_> = (0..4).map(|_| suite(&store)).collect();
    for id in &ids {
        store.suite_ended(*id, &over(SuiteState::Done, "done")).unwrap();
    }
    let kept: Vec<_> = store.suites(u64::MAX, 100).unwrap().iter().map(|suite| suite.id).collect();
    assert_eq!(kept, [ids[3], ids[2], resumed, endless]);
    assert!(!store.remove_suite(resumed).unwrap());
}
