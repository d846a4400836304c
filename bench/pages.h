/// Memory in huge pages, as the library's weights have it.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace bench {

struct FreePages {
  void operator()(void* pages) const { std::free(pages); }
};
template <class T> using Pages = std::unique_ptr<T[], FreePages>;

/// n elements, not initialized; null when there is no memory.
template <class T> Pages<T> allocate_pages(std::size_t n) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const std::size_t bytes = (n * sizeof(T) + kHugePage - 1) / kHugePage * kHugePage;
  Pages<T> pages(static_cast<T*>(std::aligned_alloc(kHugePage, bytes)));
#ifdef MADV_HUGEPAGE
  if (pages) madvise(pages.get(), bytes, MADV_HUGEPAGE);
#endif
  return pages;
}

} // namespace bench
