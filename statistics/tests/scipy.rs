//! The crate against SciPy, or against what a script has computed by another way: the cases of
//! `tests/data/scipy.json`, made by `tests/reference/make_cases.py`, whose header says how.

use evo_hashes::Seed;
use evo_statistics::{
    Bootstrap, Estimate, Profile, holm, kendall, kendall_interval, sign_test, wilcoxon,
};
use serde_json::Value;

/// The cases of a name; there are some.
fn cases(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("data/scipy.json")).expect("it is JSON");
    let cases = all[name].as_array().expect("a list").clone();
    assert!(!cases.is_empty(), "{name}");
    cases
}

fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        _ => value.as_f64().expect("a number"),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(number).collect()
}

fn assert_close(ours: f64, expected: f64, relative: f64, case: &Value) {
    assert!((ours - expected).abs() <= relative * expected.abs(), "{ours} {expected}: {case}");
}

/// Many resamples, so that the ends lie where the script says.
fn bootstrap(case: &Value) -> Bootstrap {
    Bootstrap { seed: Seed(1), resamples: 200_000, level: number(&case["level"]) }
}

fn assert_within(estimate: Option<Estimate>, case: &Value) {
    let Estimate { low, high, .. } = estimate.expect("all cases have an interval");
    for (end, name) in [(low, "low_within"), (high, "high_within")] {
        let within = numbers(&case[name]);
        let slack = if end.is_finite() { 1e-12 } else { 0.0 };
        assert!(within[0] - slack <= end && end <= within[1] + slack, "{estimate:?}: {case}");
    }
}

#[test]
fn tau_is_that_of_kendalltau() {
    for case in cases("kendall") {
        let tau = kendall(&numbers(&case["a"]), &numbers(&case["b"])).expect("not all tie");
        assert!((tau - number(&case["tau"])).abs() < 1e-14, "{tau}: {case}");
    }
}

#[test]
fn p_values_of_signed_ranks_are_those_of_wilcoxon_and_of_all_permutations() {
    for case in cases("wilcoxon") {
        assert_close(wilcoxon(&numbers(&case["differences"])), number(&case["p"]), 1e-11, &case);
    }
}

#[test]
fn p_values_of_signs_are_those_of_binomtest() {
    for case in cases("sign") {
        let count = |name: &str| case[name].as_u64().expect("a count") as usize;
        let p = sign_test(count("wins"), count("losses"));
        assert_close(p, number(&case["p"]), 1e-11, &case);
    }
}

#[test]
fn holm_is_the_closed_test() {
    for case in cases("holm") {
        let adjusted = holm(&numbers(&case["p"]));
        let expected = numbers(&case["adjusted"]);
        assert_eq!(adjusted.len(), expected.len());
        for (adjusted, expected) in adjusted.into_iter().zip(expected) {
            assert_close(adjusted, expected, 1e-14, &case);
        }
    }
}

#[test]
fn scores_are_what_quadrature_comes_to() {
    for case in cases("profile") {
        let rows = case["times"].as_array().expect("a list");
        let row = |row: &Value| -> Vec<Option<f64>> {
            row.as_array().expect("a list").iter().map(Value::as_f64).collect()
        };
        let times: Vec<Vec<Option<f64>>> = rows.iter().map(row).collect();
        let profile = Profile::of(&times).expect("rows are even and hold times");
        let shares = case["shares"].as_array().expect("a list");
        for (program, score) in numbers(&case["scores"]).into_iter().enumerate() {
            // Half a cell of the script's grid.
            assert!((profile.score(program) - score).abs() < 1e-5, "{program}: {case}");
            let own = [1.0, 1.5, 2.0, 4.0, 100.0].map(|tau| profile.share(program, tau));
            let expected = numbers(&shares[program]);
            assert!(own.iter().zip(expected).all(|(own, it)| (own - it).abs() < 1e-15), "{case}");
        }
    }
}

#[test]
fn intervals_of_means_are_bca() {
    for case in cases("mean") {
        assert_within(bootstrap(&case).mean(&numbers(&case["numbers"])), &case);
    }
}

#[test]
fn intervals_of_groups_are_those_of_all_resamples() {
    for case in cases("groups") {
        let groups: Vec<Vec<f64>> =
            case["groups"].as_array().expect("a list").iter().map(numbers).collect();
        let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
        let mean_of_medians = |drawn: &[Vec<usize>]| {
            let median = |(members, group): (&Vec<usize>, &Vec<f64>)| {
                let mut values: Vec<f64> = members.iter().map(|&member| group[member]).collect();
                values.sort_by(f64::total_cmp);
                values[values.len() / 2]
            };
            drawn.iter().zip(&groups).map(median).sum::<f64>() / groups.len() as f64
        };
        let estimate = bootstrap(&case).of_groups(&sizes, mean_of_medians);
        let value = estimate.expect("groups have several members").value;
        let expected = number(&case["value"]);
        assert!(value == expected || (value - expected).abs() < 1e-14, "{value}: {case}");
        assert_within(estimate, &case);
    }
}

#[test]
fn intervals_of_tau_are_those_of_all_resamples() {
    for case in cases("kendall_interval") {
        let estimate =
            kendall_interval(&numbers(&case["a"]), &numbers(&case["b"]), &bootstrap(&case));
        let value = estimate.expect("not all tie").value;
        assert!((value - number(&case["value"])).abs() < 1e-14, "{value}: {case}");
        assert_within(estimate, &case);
    }
}
