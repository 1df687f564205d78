# The commands of daily work; `just` alone lists them.

# List the recipes.
default:
    @just --list

# Everything that must be clean before a commit, tests aside.
check: fmt clippy doc deny

# Formatting, as rustfmt.toml has it.
fmt:
    cargo fmt --all --check

# Lints, the determinism lints of clippy.toml included.
clippy:
    cargo clippy --workspace --all-targets -- -D warnings

# The documentation builds without a broken link.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Crate direction, licences and sources, as deny.toml has them.
deny:
    cargo deny check bans licenses sources

# All tests.
test:
    cargo test --workspace

# The exports against the engine, by a Python that has tests/python/requirements.txt.
python-checks PYTHON="python3":
    cargo run -p evo-export --example export_cases -- target/export-cases
    {{ PYTHON }} tests/python/check_exports.py target/export-cases --self-test
    {{ PYTHON }} tests/python/check_exports.py target/export-cases
    cargo run -p evo-export --example learner_cases -- target/learner-cases
    {{ PYTHON }} tests/python/check_learners.py target/learner-cases
    {{ PYTHON }} tests/python/test_torch_optimizer.py
    {{ PYTHON }} tests/python/test_torch_compiled.py
    {{ PYTHON }} tests/python/test_optax_optimizer.py
    {{ PYTHON }} tests/python/test_numpy_optimizer.py
    {{ PYTHON }} tests/python/test_distributed.py
    just loss-curves {{ PYTHON }}

# The wheel of the Python package, into target/wheels; a maturin, and `dev` to share what the tests have built.
wheel MATURIN="maturin" PROFILE="release":
    {{ MATURIN }} build --manifest-path python/Cargo.toml --profile {{ PROFILE }} --out target/wheels

# The tests, types and examples of the Python package, by a Python that has it and python/tests/requirements.txt.
python-test PYTHON="python3":
    {{ PYTHON }} -m pytest -q -p no:cacheprovider -m "not slow" python/tests
    {{ PYTHON }} -m mypy --config-file python/pyproject.toml python/evo_search python/tests python/examples
    {{ PYTHON }} -m doctest -o ELLIPSIS docs/python.md

# With the slow one, which kills and resumes a run whose candidates hang, crash and eat memory: four minutes.
python-test-all PYTHON="python3": (python-test PYTHON)
    {{ PYTHON }} -m pytest -q -p no:cacheprovider -m slow python/tests

# Losses of training beside PyTorch's, compared; FILE: written there as the fixture of the tests.
loss-curves PYTHON="python3" FILE="":
    EVO_LOSS_CASES={{ justfile_directory() }}/target/loss-cases cargo test -p evo-evaluators --test loss_curves -- --ignored
    {{ PYTHON }} tests/python/loss_curves.py target/loss-cases {{ FILE }}

# Fuzz program text (`parse`), the engines (`engines`), the simplifier (`simplifier`) or learners (`learner`); needs cargo-fuzz and a nightly compiler.
fuzz TARGET MINUTES="10":
    mkdir -p target/fuzz-corpus/{{ TARGET }}
    cargo +nightly fuzz run -s none {{ TARGET }} target/fuzz-corpus/{{ TARGET }} dsl/zoo -- \
        -max_total_time=$(({{ MINUTES }} * 60)) -max_len=4096 -timeout=20 -dict=fuzz/words.dict

# All benchmarks; a name runs those that contain it.
bench *NAME:
    cargo bench --workspace -- {{ NAME }}

# Training steps beside those of PyTorch and JAX, in turns on one core; a Python that has both and Optax.
step-bench PYTHON="python3" *ARGS:
    cargo build --release -p evo-evaluators --example step
    {{ PYTHON }} benches/step_ratio.py target/release/examples/step {{ ARGS }}

# A first real search, a few minutes on one core.
quickstart:
    cargo run --release -- search configs/quickstart.ron

# The zoo's reference trajectories, all or those named, made again; needs NumPy, PyTorch, JAX and Optax.
trajectories *NAMES:
    python3 dsl/tests/reference/make_trajectories.py {{NAMES}}

# Evolution against its controls at equal evaluations, ten seeds each: about half an hour.
controls CONFIG="configs/quickstart.ron":
    cargo build --release
    python3 benches/campaign.py target/release/evo {{ CONFIG }} 'evolution' \
        'constant tuning: strategy=ConstantTuning(population: 50, tournament: 5)' \
        'random search: strategy=RandomSearch(mutations: 10)'

# Several starts and crossover against one start and none, at equal evaluations, ten seeds each: about fifteen minutes on one core.
crossover:
    cargo build --release
    python3 benches/crossover.py target/release/evo

# Search settings side by side at equal evaluations, judged by what a search did not see; ten seeds each.
campaign *SETTINGS:
    cargo build --release
    python3 benches/campaign.py target/release/evo configs/quickstart.ron {{ SETTINGS }}

# Campaigns of learners, ten seeds each, an hour or so all together: affine, digits, erased, random or throughput.
learner-campaign NAME *SEEDS:
    cargo build --release
    python3 benches/learner_campaign.py target/release/evo {{ NAME }} {{ SEEDS }}

# Candidates a second beside AutoML-Zero's own program, built as benches/automl_zero.py says: ten minutes of one core.
automl-zero PROGRAM *ARGS:
    cargo build --release
    python3 benches/automl_zero.py {{ PROGRAM }} {{ ARGS }}

# One digest of the quickstart for any threads and interruptions: about ten minutes.
determinism:
    cargo build --release
    python3 benches/determinism.py target/release/evo configs/quickstart.ron

# How fairly each way to score ranks the zoo: two minutes.
fair-fitness CONFIG="configs/quickstart.ron":
    cargo run --release --example fair_fitness -- {{ CONFIG }}

# A million candidates: the curve of memory and the size of the store.
endurance DIR:
    cargo run --release --example endurance -- memory 1000000 {{ DIR }}

# How well two threads are used.
scaling:
    cargo run --release --example endurance -- scaling

# Build for CUDA, on a machine that need not have a GPU, and check what can be checked there (docs/gpu.md).
gpu-build:
    gpu/build.sh

# The tests that need a CUDA device: `EVO_DEVICE`, or cuda:0. Without one they say so and fail.
gpu-test:
    gpu/cargo.sh test --release --features cuda -p evo -p evo-evaluators --lib -- --ignored --nocapture on_a_device

# The kernel of updates with a thread of the host for each of a block's, under ThreadSanitizer.
kernel-races:
    cargo test -p evo-dsl --test device -- --ignored

# How fast a cohort trains on the first CUDA device.
gpu-bench CONFIG="configs/quickstart.ron":
    gpu/cargo.sh build --release --features cuda
    gpu/cargo.sh --run ../build/release/evo bench {{ CONFIG }} --device cuda:0

# Every functional duplicate of fifteen runs evaluated, with the probe that hashes had at first and with today's: twenty minutes.
recheck:
    cargo test --release --test tests recheck::campaign -- --ignored --nocapture

# What dispatch costs on Ray, beside a task for each evaluation; a Python that has the package and Ray. Ten minutes.
ray-dispatch PYTHON="python3" *ARGS:
    {{ PYTHON }} benches/ray_dispatch.py {{ ARGS }}

# What to expect of 10, 100 and 1000 workers, from what `ray-dispatch` measured.
cluster-simulation PYTHON="python3" FILE="docs/records/2026-12-01-ray-dispatch.json":
    {{ PYTHON }} benches/cluster_simulation.py {{ FILE }}
