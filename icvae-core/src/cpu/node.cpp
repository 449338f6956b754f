// One node of libtorch's autograd whose arithmetic is written in Rust (node.rs).
//
// What is saved goes through SavedVariable, so version counters, a second backward pass and the release of
// memory are libtorch's own affair.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/MT19937RNGEngine.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <array>
#include <cmath>
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

// For loops that the compiler makes as wide as the processor has registers for.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

// The numbers of libtorch's generator, a whole state at a time, where the generator's own makes one number a call.
class Draws {
public:
  explicit Draws(const at::mt19937 &engine) : data(engine.data()) {}

  at::mt19937 engine() const {
    at::mt19937 engine;
    engine.set_data(data);
    return engine;
  }

  void fill(uint32_t *words, size_t count) {
    while (count > 0) {
      if (data.left_ <= 1) {
        turn(data.state_.data());
        data.left_ = SIZE + 1;
        data.next_ = 0;
      }
      const size_t some = std::min(count, static_cast<size_t>(data.left_ - 1));
      temper(data.state_.data() + data.next_, words, some);
      words += some;
      count -= some;
      data.left_ -= static_cast<int>(some);
      data.next_ += static_cast<uint32_t>(some);
    }
  }

private:
  static constexpr int SIZE = at::MERSENNE_STATE_N;
  static constexpr int APART = at::MERSENNE_STATE_M;

  static uint32_t twist(uint32_t u, uint32_t v) {
    const uint32_t mixed = (u & 0x80000000) | (v & 0x7fffffff);
    return (mixed >> 1) ^ (-(v & 1) & 0x9908b0df);
  }

  WIDE static void temper(const uint32_t *state, uint32_t *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
      uint32_t y = state[i];
      y ^= y >> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      words[i] = y ^ (y >> 18);
    }
  }

  WIDE static void turn(uint32_t *s) {
    for (int i = 0; i < SIZE - APART; i++) {
      s[i] = s[i + APART] ^ twist(s[i], s[i + 1]);
    }
    for (int i = SIZE - APART; i < SIZE - 1; i++) {
      s[i] = s[i + APART - SIZE] ^ twist(s[i], s[i + 1]);
    }
    s[SIZE - 1] = s[APART - 1] ^ twist(s[SIZE - 1], s[0]);
  }

  at::mt19937_data_pod data;
};

// Of each two words, a number of 53 bits: `value` where it is below the limit, else 0.
WIDE void choose(const uint32_t *words, size_t count, uint64_t limit, float value, float *numbers) {
  for (size_t k = 0; k < count; k++) {
    const uint64_t number = uint64_t(words[2 * k] & 0x1fffff) << 32 | words[2 * k + 1];
    numbers[k] = number < limit ? value : 0.0f;
  }
}

} // namespace

extern "C" {

// Sets numbers to `value` with a probability, else to 0: the draws that `bernoulli_` makes, one after the other.
char *icvae_bernoulli(float *numbers, size_t count, double probability, float value) {
  try {
    auto *generator = at::get_generator_or_default<at::CPUGeneratorImpl>(
        std::nullopt, at::detail::getDefaultCPUGenerator());
    std::lock_guard<std::mutex> lock(generator->mutex_);
    Draws draws(generator->engine());
    // A number of 53 bits, as a share of them all, is below the probability.
    constexpr uint64_t ALL = uint64_t(1) << 53;
    const auto limit = static_cast<uint64_t>(std::ceil(probability * static_cast<double>(ALL)));
    std::array<uint32_t, 2048> words;
    for (size_t i = 0; i < count; i += words.size() / 2) {
      const size_t some = std::min(count - i, words.size() / 2);
      draws.fill(words.data(), 2 * some);
      choose(words.data(), some, limit, value, numbers + i);
    }
    generator->set_engine(draws.engine());
    return nullptr;
  } catch (const std::exception &error) {
    return strdup(error.what());
  }
}


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
