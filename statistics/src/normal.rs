//! The standard normal distribution: its distribution function and the inverse of that.
//!
//! Invariant: `quantile` gives the number where `cdf` reaches a probability, within the rounding
//! of `cdf` itself, which is an ulp or so of libm's `erfc`. It halves an interval until that has
//! no number inside: sixty calls of `erfc` for each end of an interval are nothing beside
//! thousands of resamples, and no table of coefficients has to be right.

/// The probability of at most `x`: Φ(x) = erfc(-x / √2) / 2.
pub(crate) fn cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The number that is not exceeded with this probability, Φ⁻¹; infinite at 0 and 1.
pub(crate) fn quantile(probability: f64) -> f64 {
    if probability > 0.5 {
        // 1 - p is exact here, and the lower tail has small numbers to spend bits on.
        return -quantile(1.0 - probability);
    }
    if probability <= 0.0 {
        return f64::NEG_INFINITY;
    }
    // Φ(-40) is below the least positive number.
    let (mut below, mut above) = (-40.0, 0.0);
    loop {
        let middle = f64::midpoint(below, above);
        if middle <= below || middle >= above {
            return above;
        }
        if cdf(middle) < probability {
            below = middle;
        } else {
            above = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantile_inverts_the_distribution_function() {
        for step in -300..=300 {
            let x = f64::from(step) / 50.0;
            let back = quantile(cdf(x));
            // Above 0 the probability itself has lost what separates neighbours of x.
            let density = 0.3989422804014327 * libm::exp(-x * x / 2.0);
            let tolerance = 1e-13 + f64::EPSILON / density * f64::from(u8::from(x > 0.0));
            assert!((back - x).abs() < tolerance, "{x} {back}");
        }
    }

    #[test]
    fn known_quantiles() {
        let known = [
            (0.975, 1.959963984540054),
            (0.025, -1.959963984540054),
            (0.5, 0.0),
            (0.8413447460685429, 1.0),
            (1e-10, -6.361340902404056),
            (1e-300, -37.0470962993612),
        ];
        for (probability, expected) in known {
            assert!((quantile(probability) - expected).abs() < 1e-13, "{probability}");
        }
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
    }
}
