// Attention in plain loops in f64, for the programs of both versions.
#pragma once

struct Shape {
    int batch, key_heads, group, queries, keys;
};

template <typename T>
inline std::vector<double> attention(const Shape& s, check::Buffer<T>& q, check::Buffer<T>& k, check::Buffer<T>& v) {
    std::vector<double> o(q.count), p(s.keys);
    for (int head = 0; head < s.batch * s.key_heads * s.group; head++)
        for (int query = 0; query < s.queries; query++) {
            size_t row = (size_t(head) * s.queries + query) * HEAD_DIM, first = size_t(head / s.group) * s.keys * HEAD_DIM;
            int seen = CAUSAL ? query + s.keys - s.queries + 1 : s.keys;
            double maximum = -1e300, sum = 0;
            for (int key = 0; key < seen; key++) {
                p[key] = 0;
                for (int d = 0; d < HEAD_DIM; d++) p[key] += double(to_float(q[row + d])) * double(to_float(k[first + size_t(key) * HEAD_DIM + d]));
                p[key] /= std::sqrt(double(HEAD_DIM));
                maximum = std::fmax(maximum, p[key]);
            }
            for (int key = 0; key < seen; key++) sum += p[key] = std::exp(p[key] - maximum);
            for (int key = 0; key < seen; key++)
                for (int d = 0; d < HEAD_DIM; d++) o[row + d] += p[key] / sum * double(to_float(v[first + size_t(key) * HEAD_DIM + d]));
        }
    return o;
}

/// Batches, heads, grouped heads, ragged ends, few queries, fewer keys than queries, more heads than are taken together.
const Shape shapes[] = {{1, 2, 1, 128, 192}, {2, 1, 1, 150, 150}, {1, 1, 3, 50, 77}, {1, 2, 4, 1, 300}, {1, 1, 1, 70, 40}, {1, 17, 1, 130, 130}};
