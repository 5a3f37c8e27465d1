/* c[m,n] = scale · Σk a[m,k] b[k,n], or, with `more`, added to c: a tile of c in registers at a
   time; rows of b and c are whole. Where many tiles want the same columns of b, these are laid side
   by side first: they stay in the nearest cache (Goto and van de Geijn, 2008). */
#if defined(__AVX512F__)
#define WIDE 8
#define ROWS 8 /* its 32 registers would do for 12, which sizes of networks fit less often */
#elif defined(__AVX__)
#define WIDE 4
#define ROWS 6 /* with 2 vectors each, what AVX2 has registers for */
#else
#define WIDE 2
#define ROWS 6
#endif
typedef double wide __attribute__((vector_size(8 * WIDE), aligned(8), may_alias));
typedef double four __attribute__((vector_size(32), aligned(8), may_alias));
typedef double pair __attribute__((vector_size(16), aligned(8), may_alias));
#define DEEP 320 /* rows of b at a time: their columns for a tile take less than 32 KiB */
#define EACH(i, n) _Pragma("GCC unroll 8") for (int i = 0; i < n; i++)

#define PLACE(vector, width) *(vector *)(c + r * cm + w * width)
#define TILE(name, vector, width, across)                                                          \
    static inline __attribute__((always_inline)) void name(                                        \
        int rows, int more, long K, double scale, const double *a, long am, long ak,               \
        const double *b, long bk, double *c, long cm) {                                            \
        vector sum[ROWS][across], row[across];                                                     \
        EACH(r, rows) EACH(w, across) sum[r][w] = (vector){0};                                     \
        for (long k = 0; k < K; k++, a += ak, b += bk) {                                           \
            EACH(w, across) row[w] = *(const vector *)(b + w * width);                             \
            EACH(r, rows) EACH(w, across) sum[r][w] += a[r * am] * row[w];                         \
        }                                                                                          \
        if (more)                                                                                  \
            EACH(r, rows) EACH(w, across) PLACE(vector, width) += scale * sum[r][w];               \
        else                                                                                       \
            EACH(r, rows) EACH(w, across) PLACE(vector, width) = scale * sum[r][w];                \
    }
TILE(tile_wide2, wide, WIDE, 2)
TILE(tile_wide, wide, WIDE, 1)
TILE(tile_four, four, 4, 1)
TILE(tile_pair, pair, 2, 1)
TILE(tile_one, double, 1, 1)

static inline const double *laid(long K, long width, const double *b, long bk, double *near) {
    for (long k = 0; k < K; k++) memcpy(near + k * width, b + k * bk, 8 * width);
    return near;
}

#define TILES(tile, rows)                                                                          \
    for (; m + rows <= M; m += rows)                                                               \
        tile(rows, more, K, scale, a + m * am, am, ak, p, step, c + m * cm + n, cm);
#define COLUMNS(tile, width)                                                                       \
    for (; n + (width) <= N; n += (width)) {                                                       \
        const int many = M > 2 * ROWS && bk != (width);                                            \
        const double *p = many ? laid(K, width, b + n, bk, near) : b + n;                          \
        const long step = many ? (width) : bk;                                                     \
        long m = 0;                                                                                \
        TILES(tile, ROWS) TILES(tile, 4) TILES(tile, 2) TILES(tile, 1)                             \
    }

static void product(int more, long M, long N, long deep, double scale, const double *a, long am,
                    long ak, const double *b, long bk, double *c, long cm) {
    double near[DEEP * 2 * WIDE];
    for (; deep > 0; deep -= DEEP, a += DEEP * ak, b += DEEP * bk, more = 1) {
        const long K = deep < DEEP ? deep : DEEP;
        long n = 0;
        COLUMNS(tile_wide2, 2 * WIDE)
        COLUMNS(tile_wide, WIDE)
        if (WIDE > 4) COLUMNS(tile_four, 4)
        COLUMNS(tile_pair, 2)
        COLUMNS(tile_one, 1)
    }
}

static void turn(int rows, int columns, const double *a, double *b) {
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) b[j * rows + i] = a[i * columns + j];
}
