/// Mean squared error of plain and cipher image under the null model, and its decibels.
#pragma once

#include "metrics/finding.hpp"
#include "metrics/histogram.hpp"

namespace icb {

/// Mean and sd of (1/N) sum (p_i - U_i)^2, the plain samples p_i given by their histogram, U_i
/// i.i.d. uniform on 0..F. Exact: with a = p - F/2 and m_k the central moments of U,
///   E (p - U)^2 = a^2 + m_2,   Var (p - U)^2 = 4 a^2 m_2 + m_4 - m_2^2,
/// averaged over the plain samples, the variance over N once more. L = F + 1:
///   m_2 = (L^2 - 1)/12,   m_4 = (L^2 - 1)(3 L^2 - 7)/240.
/// Errors: std::invalid_argument if the histogram is empty.
NullModel mse_null(const Histogram& plain);

/// Mean and sd of 10 log10(F^2 / mse) in dB, through ln(1 + e) with e = mse / E mse - 1, v = E e^2,
/// s = E e^3 (exact, from m_6 = (L^2 - 1)(3 L^4 - 18 L^2 + 31)/1344) and E e^4 taken as 3 v^2:
///   E ln = -v/2 + s/3 - 3 v^2/4,   Var ln = v - s + 5 v^2/2.
/// What is left out is O(N^-5/2) in the mean and O(N^-3) in the variance; the chance of mse = 0
/// (dB infinite) is left out too.
NullModel psnr_null(const Histogram& plain);

}  // namespace icb
