// One node of libtorch's autograd whose arithmetic is written in Rust (node.rs).
//
// What is saved goes through SavedVariable, so version counters, a second backward pass and the release of
// memory are libtorch's own affair.

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>

#include <cstring>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>

using at::Tensor;
using torch::autograd::Edge;
using torch::autograd::Node;
using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

extern "C" {
// Rust's side. A text that comes back is an error and is given back to icvae_text_drop.
char *icvae_function_backward(void *function, Tensor *const *saved, size_t count, Tensor *gradient,
                              const bool *wanted, bool twice, Tensor **gradients);
void icvae_function_drop(void *function);
void icvae_text_drop(char *text);
}

namespace {

struct RustNode final : Node {
  explicit RustNode(void *function) : function(function) {}
  ~RustNode() override { icvae_function_drop(function); }

  std::string name() const override { return "IcvaeBackward"; }

  variable_list apply(variable_list &&gradients) override {
    std::lock_guard<std::mutex> lock(mutex_);
    const size_t inputs = saved.size();
    variable_list found(inputs);
    if (!gradients[0].defined()) {
      return found;
    }
    std::vector<Tensor> values;
    values.reserve(inputs + 1);
    for (const auto &one : saved) {
      values.push_back(one.unpack());
    }
    values.push_back(output.unpack(getptr()));
    std::vector<Tensor *> pointers;
    for (auto &value : values) {
      pointers.push_back(&value);
    }
    std::unique_ptr<bool[]> wanted(new bool[inputs]);
    for (size_t i = 0; i < inputs; i++) {
      wanted[i] = task_should_compute_output(i);
    }
    std::vector<Tensor *> made(inputs, nullptr);
    char *error = icvae_function_backward(function, pointers.data(), pointers.size(), &gradients[0],
                                          wanted.get(), at::GradMode::is_enabled(), made.data());
    for (size_t i = 0; i < inputs; i++) {
      if (made[i] != nullptr) {
        found[i] = std::move(*made[i]);
        delete made[i];
      }
    }
    if (error != nullptr) {
      std::string words(error);
      icvae_text_drop(error);
      throw std::runtime_error(words);
    }
    return found;
  }

  void release_variables() override {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto &one : saved) {
      one.reset_data();
    }
    output.reset_data();
  }

  void *function;
  std::vector<SavedVariable> saved;
  SavedVariable output;
};

} // namespace

extern "C" {

// Whether a tensor is plain numbers in memory: float32 side by side on the CPU, without a tangent.
bool icvae_is_plain(const Tensor *tensor) {
  try {
    return tensor->defined() && tensor->layout() == at::kStrided && tensor->is_cpu() &&
           tensor->scalar_type() == at::kFloat && tensor->is_contiguous() && !tensor->is_neg() &&
           !tensor->unsafeGetTensorImpl()->is_python_dispatch() &&
           !tensor->_fw_grad(0).defined();
  } catch (const std::exception &) {
    return false;
  }
}

// Whether autograd has to know of an operation on these tensors.
bool icvae_is_recorded(Tensor *const *inputs, size_t count) {
  if (!at::GradMode::is_enabled()) {
    return false;
  }
  for (size_t i = 0; i < count; i++) {
    if (inputs[i]->requires_grad()) {
      return true;
    }
  }
  return false;
}

// Makes `output` the result of a function of `inputs`; the function belongs to the node from now on.
char *icvae_record(void *function, Tensor *const *inputs, size_t count, Tensor *output) {
  try {
    auto node = c10::make_intrusive<RustNode>(function);
    torch::autograd::edge_list edges;
    for (size_t i = 0; i < count; i++) {
      edges.push_back(torch::autograd::impl::gradient_edge(*inputs[i]));
    }
    node->set_next_edges(std::move(edges));
    torch::autograd::set_history(*output, node);
    for (size_t i = 0; i < count; i++) {
      node->saved.emplace_back(*inputs[i], false);
    }
    node->output = SavedVariable(*output, true);
    return nullptr;
  } catch (const std::exception &error) {
    return strdup(error.what());
  }
}

// What tells a tensor from every other, whatever number of handles it has.
const void *icvae_identity(const Tensor *tensor) { return tensor->unsafeGetTensorImpl(); }

// Tells autograd that the numbers of a tensor were changed in place.
void icvae_changed(const Tensor *tensor) { tensor->unsafeGetTensorImpl()->bump_version(); }
}
