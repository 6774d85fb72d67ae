/// A file descriptor that closes itself.
#pragma once

#include <unistd.h>

namespace icb {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : m_fd(fd) {}

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() {
    if (m_fd >= 0) ::close(m_fd);
  }

  int get() const { return m_fd; }

 private:
  int m_fd;
};

}  // namespace icb
