/* Samples whose gradient is exactly 0 give nothing more: the others are laid side by side. */
static int alive(int count, int size, const double *d, int *kept) {
    int live = 0;
    for (int n = 0; n < count; n++) {
        int any = 0;
        for (int i = 0; i < size; i++) any |= !(d[n * size + i] == 0.0); /* nan is not 0 */
        kept[live] = n;
        live += any;
    }
    return live;
}

/* whether 0 times any product of a few of these numbers is 0, not nan */
static int small(long count, const double *x) {
    long large = 0;
    for (long i = 0; i < count; i++) large += !(fabs(x[i]) <= 1e30);
    return large == 0;
}

#define INLINED static inline __attribute__((always_inline)) /* the copies are of constant size */
INLINED void *pack(int live, const int *kept, long size, const void *from, void *to) {
    for (int n = 0; n < live; n++) {
        const char *row = (const char *)from + 8 * size * kept[n];
        char *place = (char *)to + 8 * size * n;
        if (row != place) memcpy(place, row, 8 * size);
    }
    return to;
}

INLINED void unpack(int live, const int *kept, int count, long size, double *x) {
    for (int n = count - 1; n >= 0; n--) {
        const int any = live && kept[live - 1] == n;
        live -= any;
        if (!any)
            memset(x + n * size, 0, 8 * size);
        else if (live != n)
            memcpy(x + n * size, x + live * size, 8 * size);
    }
}
