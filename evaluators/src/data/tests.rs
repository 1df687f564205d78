//! Data sets as tasks get them: shares and noise touch training alone.

use super::*;

fn count(number: usize) -> std::num::NonZeroUsize {
    number.try_into().expect("not zero")
}

fn load(config: &DataConfig) -> Dataset {
    Dataset::load(config, Path::new("."), Seed(1), 4).expect("generated data")
}

#[test]
fn a_share_of_rows_is_a_part_of_every_larger_share() {
    let share = |share| {
        let mut data = load(&DataConfig::Digits);
        data.keep_share(share);
        let Dataset::Rows(rows) = data else { panic!("digits are rows") };
        rows
    };
    let (all, half, few) = (share(1.0), share(0.5), share(1e-9));
    assert_eq!((all.train.labels.len(), half.train.labels.len()), (1438, 719));
    assert_eq!(
        (0..719).map(|i| half.train.row(i)).collect::<Vec<_>>(),
        (0..719).map(|i| all.train.row(i)).collect::<Vec<_>>()
    );
    assert_eq!(few.train.labels, all.train.labels[..1]);
    assert_eq!(half.validation, all.validation);
}

#[test]
fn label_noise_leaves_inputs_and_validation_clean() {
    let digits = |noise| {
        let mut data = load(&DataConfig::Digits);
        data.add_label_noise(noise, Seed(1));
        let Dataset::Rows(rows) = data else { panic!("digits are rows") };
        rows
    };
    let (clean, noisy) = (digits(0.0), digits(0.5));
    assert_eq!(noisy.train.features, clean.train.features);
    assert_eq!(noisy.validation, clean.validation);
    let pairs = noisy.train.labels.iter().zip(&clean.train.labels);
    let wrong = pairs.filter(|(noisy, clean)| noisy != clean).count();
    assert!((550..750).contains(&wrong), "{wrong}: 0.45 of 1438 are expected");
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
