//! Prints the kernel for devices, as it is compiled.

fn main() {
    print!("{}", evo_dsl::device_kernel());
}
