#include "loader/file_image.h"

namespace tandem {
namespace {

// HDF5 requests memory for each copy of the image, and gets the image itself. It is opened for reading only, so HDF5
// does not write to it.
void* TheImage(std::size_t, H5FD_file_image_op_t, void* image) { return image; }
void* NoCopy(void* to, const void*, std::size_t, H5FD_file_image_op_t, void*) { return to; }
void* NoGrowth(void*, std::size_t, H5FD_file_image_op_t, void*) { return nullptr; }
herr_t KeepImage(void*, H5FD_file_image_op_t, void*) { return 0; }
void* SameImage(void* image) { return image; }
herr_t KeepUserData(void*) { return 0; }

}  // namespace

bool UseImage(hid_t access, std::span<const char> bytes) {
  auto* const image = const_cast<char*>(bytes.data());
  H5FD_file_image_callbacks_t callbacks{TheImage, NoCopy, NoGrowth, KeepImage, SameImage, KeepUserData, image};
  return H5Pset_file_image_callbacks(access, &callbacks) >= 0 && H5Pset_file_image(access, image, bytes.size()) >= 0;
}

}  // namespace tandem
