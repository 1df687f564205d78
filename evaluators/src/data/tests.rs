//! Data sets as tasks get them: shares and noise touch training alone.

use super::*;

fn count(number: usize) -> std::num::NonZeroUsize {
    number.try_into().expect("not zero")
}

fn load(config: &DataConfig) -> Dataset {
    Dataset::load(config, Path::new("."), Seed(1), 4).expect("generated data")
}

/// Rows that need no file, with the examples that are trained on.
fn all_rows() -> [(DataConfig, usize); 4] {
    [
        (DataConfig::Digits, 1438),
        (DataConfig::Fashion, 2800),
        (DataConfig::Letter, 17_952),
        (DataConfig::Mnist1d { examples: count(1000) }, 800),
    ]
}

fn rows_of(config: &DataConfig, change: impl FnOnce(&mut Dataset)) -> RowData {
    let mut data = load(config);
    change(&mut data);
    let Dataset::Rows(rows) = data else { panic!("{} data are rows", config.name()) };
    rows
}

#[test]
fn a_share_of_rows_is_a_part_of_every_larger_share() {
    for (config, examples) in all_rows() {
        let share = |share| rows_of(&config, |data| data.keep_share(share));
        let (all, half, few) = (share(1.0), share(0.5), share(1e-9));
        assert_eq!(all.train.labels.len(), examples, "{}", config.name());
        assert_eq!(half.train.labels.len(), examples / 2);
        assert!((0..examples / 2).all(|i| half.train.row(i) == all.train.row(i)));
        assert_eq!(few.train.labels, all.train.labels[..1]);
        assert_eq!(half.validation, all.validation);
    }
}

#[test]
fn label_noise_leaves_inputs_and_validation_clean() {
    for (config, examples) in all_rows() {
        let with = |noise| rows_of(&config, |data| data.add_label_noise(noise, Seed(1)));
        let (clean, noisy) = (with(0.0), with(0.5));
        assert_eq!(noisy.train.features, clean.train.features);
        assert_eq!(noisy.validation, clean.validation);
        let pairs = noisy.train.labels.iter().zip(&clean.train.labels);
        let wrong = pairs.filter(|(noisy, clean)| noisy != clean).count() as f64;
        let expected = 0.5 * (1.0 - 1.0 / clean.classes as f64) * examples as f64;
        assert!((wrong / expected - 1.0).abs() < 0.15, "{wrong} labels, {expected} are expected");
    }
}

#[test]
fn label_noise_in_text_changes_what_is_predicted_alone() {
    let plays = |noise| {
        let mut data = load(&DataConfig::Shakespeare);
        data.add_label_noise(noise, Seed(1));
        let Dataset::Tokens(tokens) = data else { panic!("plays are tokens") };
        tokens
    };
    let (clean, noisy) = (plays(0.0), plays(1.0));
    assert_eq!(noisy.validation_windows(), clean.validation_windows());
    let mut draws = [Seed(2).stream("batches", 0), Seed(2).stream("batches", 0)];
    let mut wrong = 0;
    for _ in 0..500 {
        let [(inputs, targets), (noisy_inputs, noisy_targets)] =
            [clean.draw(&mut draws[0]), noisy.draw(&mut draws[1])];
        assert_eq!(noisy_inputs, inputs);
        wrong += targets.iter().zip(noisy_targets).filter(|(clean, noisy)| clean != noisy).count();
    }
    // All but one in 69 of 2,000.
    assert!(wrong > 1900, "{wrong}");
}

#[test]
fn label_noise_in_answers_changes_answers_alone() {
    let modular = |noise| {
        let operation = crate::Operation::Add;
        let mut data = load(&DataConfig::Modular { modulus: count(11), operation });
        data.add_label_noise(noise, Seed(1));
        let Dataset::Answers(answers) = data else { panic!("modular data are answers") };
        answers
    };
    let (clean, noisy) = (modular(0.0), modular(1.0));
    assert_eq!(noisy.validation_windows(), clean.validation_windows());
    for (noisy, clean) in noisy.train.iter().zip(&clean.train) {
        assert_eq!(noisy.inputs, clean.inputs);
        assert_eq!(noisy.targets[..3], clean.targets[..3]);
    }
    assert_ne!(noisy.train, clean.train);
}

#[test]
fn pairs_validated_on_are_never_trained_on() {
    let operation = crate::Operation::Multiply;
    let data = load(&DataConfig::Modular { modulus: count(12), operation });
    let Dataset::Answers(answers) = data else { panic!("modular data are answers") };
    let pair = |inputs: &[u32]| (inputs[0], inputs[2]);
    let train: std::collections::BTreeSet<_> =
        answers.train.iter().map(|example| pair(&example.inputs)).collect();
    let windows = answers.validation_windows();
    assert_eq!((train.len(), windows.len()), (116, 28));
    assert!(windows.iter().all(|(inputs, _)| !train.contains(&pair(inputs))));
}

#[test]
fn test_files_are_validated_on_and_never_trained_on() {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    let record = |value: u8| [[value % 10].as_slice(), &[value; 3072]].concat();
    let write = |name: &str, values: std::ops::Range<u8>| {
        let bytes: Vec<u8> = values.flat_map(record).collect();
        std::fs::write(folder.path().join(name), bytes).expect("a writable temporary folder");
    };
    write("train", 0..20);
    write("test", 100..107);
    let mut config = DataConfig::Cifar {
        files: vec!["train".into()],
        validation_files: vec!["test".into()],
        label_bytes: std::num::NonZeroU8::MIN,
    };
    assert_eq!(config.paths_mut().len(), 2);
    let data = Dataset::load(&config, folder.path(), Seed(1), 0).expect("well-formed files");
    let Dataset::Rows(rows) = data else { panic!("images are rows") };
    let sorted = |rows: &Rows| {
        let mut pixels: Vec<u8> = (0..rows.labels.len())
            .map(|index| (rows.row(index)[0] * 255.0).round() as u8)
            .collect();
        pixels.sort_unstable();
        pixels
    };
    assert_eq!(sorted(&rows.train), (0..20).collect::<Vec<u8>>());
    assert_eq!(sorted(&rows.validation), (100..107).collect::<Vec<u8>>());
}
