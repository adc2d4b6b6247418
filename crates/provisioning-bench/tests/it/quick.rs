//! A run of a few seconds: its figures mean nothing, its report is whole.

use std::process::Command;

use local_stack::binaries::Binaries;
use provisioning_bench::report::Report;

#[test]
fn a_quick_run_measures_everything_and_writes_its_report() {
    Binaries::beside_this_program().unwrap().build().unwrap();
    let out = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_provisioning-bench"))
        .arg("--quick")
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}");

    let text = std::fs::read(out.path().join("latest.json")).unwrap();
    let report: Report = serde_json::from_slice(&text).unwrap();
    let [stage] = report.stages.as_slice() else { panic!("{told}") };
    assert_eq!(stage.users, 200);
    let [little, much] = report.pages.as_slice() else { panic!("{told}") };
    assert_eq!([little.log_lines, much.log_lines], [10, 2_000]);
    let [untraced, traced] = report.tracing.as_slice() else { panic!("{told}") };
    let [leavers] = report.access.as_slice() else { panic!("{told}") };
    assert_eq!(leavers.figures.iter().map(|figure| figure.in_flight).collect::<Vec<_>>(), [1, 16, 64]);
    let pages = little.figures.iter().chain(&much.figures);
    let tracing = untraced.figures.iter().chain(&traced.figures);
    for figure in stage.raw.iter().chain(&stage.figures).chain(pages).chain(tracing).chain(&leavers.figures) {
        assert!(figure.per_second > 0.0 && figure.p50_ms > 0.0, "{figure:?}");
        assert!(figure.failures.is_empty(), "{figure:?}");
    }
    for what in ["POST", "PATCH", "GET by id", "initial cycle: GET filter, POST"] {
        for in_flight in [1, 16, 64] {
            assert!(stage.figure(what, in_flight).is_some(), "{what} at {in_flight}\n{told}");
        }
    }
    for page in ["page: people", "page: provisioning, refused", "page: audit log"] {
        assert!(report.verdicts.iter().any(|verdict| verdict.what.starts_with(page)), "{page}\n{told}");
    }
    assert!(report.verdicts.len() >= 5, "{:?}", report.verdicts);

    let tables = String::from_utf8(run.stdout).unwrap();
    assert!(tables.contains("| POST "), "{tables}");
}

#[test]
fn the_help_teaches() {
    let help = Command::new(env!("CARGO_BIN_EXE_provisioning-bench")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for word in ["--quick", "--sizes", "--disk", "Examples:", "target/bench"] {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
}
