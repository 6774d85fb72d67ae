/// Structural similarity of two images.
#pragma once

#include <cstddef>
#include <optional>

#include "core/image.hpp"

namespace icb {

/// Rows and columns of the window; smaller images have no SSIM.
inline constexpr std::size_t ssim_window = 11;

/// Mean SSIM over all windows that lie wholly inside, in [-1, 1], 1 for identical images. Of one
/// channel, or the mean of the channels' if none is named.
///
///   SSIM = (2 m_a m_b + C1)(2 s_ab + C2) / ((m_a^2 + m_b^2 + C1)(s_a^2 + s_b^2 + C2))
///
/// with means, population variances and covariance under an 11 x 11 Gaussian window of sigma 1.5
/// whose weights add up to 1, C1 = (0.01 F)^2, C2 = (0.03 F)^2, F = 255 or 65535: Z. Wang, A. C.
/// Bovik, H. R. Sheikh, E. P. Simoncelli, IEEE Trans. Image Processing 13 (2004), Eq. 13 to 17.
/// Errors: std::invalid_argument if the shapes differ, there is no such channel, or a side is below
/// 11.
double ssim(ConstImage a, ConstImage b, std::optional<std::size_t> channel = std::nullopt);

}  // namespace icb
