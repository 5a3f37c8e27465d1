/* moons and window-small as one writes them by hand in C: a loop over the samples, everything of a
   sample in local arrays, weights laid out so that the inner loops run through memory. */
#include <math.h>
#include <string.h>

/* The sizes H, D and N come from the command line: -DH=16 -DD=20 -DN=8. */

double moons(long B, const double *restrict x, const double *restrict target,
             const double *restrict W1, const double *restrict b1, const double *restrict W2,
             const double *restrict b2, const double *restrict W3, const double *restrict b3,
             double *restrict dW1, double *restrict db1, double *restrict dW2,
             double *restrict db2, double *restrict dW3, double *restrict db3) {
    const double decay = 1e-4;
    double W1T[2 * H], W2T[H * H], dW1T[2 * H] = {0}, a1[H] = {0}, a2[H] = {0}, a3[H] = {0};
    double A2[H * H] = {0}, loss = 0, penalty = b3[0] * b3[0], last = 0;
    for (int i = 0; i < H; i++) {
        W1T[i] = W1[2 * i];
        W1T[H + i] = W1[2 * i + 1];
        for (int j = 0; j < H; j++) W2T[j * H + i] = W2[i * H + j];
    }
    for (int i = 0; i < H * H; i++) penalty += W2[i] * W2[i];
    for (int i = 0; i < 2 * H; i++) penalty += W1[i] * W1[i];
    for (int i = 0; i < H; i++) penalty += b1[i] * b1[i] + b2[i] * b2[i] + W3[i] * W3[i];
    for (long s = 0; s < B; s++) {
        double h1[H], h2[H], d1[H], d2[H], out = b3[0];
        const double p = x[2 * s], q = x[2 * s + 1], t = target[s];
        for (int i = 0; i < H; i++) {
            double z = b1[i] + p * W1T[i] + q * W1T[H + i];
            h1[i] = z > 0 ? z : 0;
        }
        for (int i = 0; i < H; i++) h2[i] = b2[i];
        for (int j = 0; j < H; j++)
            for (int i = 0; i < H; i++) h2[i] += h1[j] * W2T[j * H + i];
        for (int i = 0; i < H; i++) h2[i] = h2[i] > 0 ? h2[i] : 0;
        for (int i = 0; i < H; i++) out += h2[i] * W3[i];
        const double margin = 1 - t * out, d = margin > 0 ? -t / B : 0;
        loss += margin > 0 ? margin : 0;
        last += d;
        for (int i = 0; i < H; i++) {
            d2[i] = h2[i] > 0 ? d * W3[i] : 0;
            a3[i] += d * h2[i];
            a2[i] += d2[i];
            d1[i] = 0;
        }
        for (int i = 0; i < H; i++)
            for (int j = 0; j < H; j++) {
                A2[i * H + j] += d2[i] * h1[j];
                d1[j] += d2[i] * W2[i * H + j];
            }
        for (int i = 0; i < H; i++) {
            d1[i] = h1[i] > 0 ? d1[i] : 0;
            a1[i] += d1[i];
            dW1T[i] += d1[i] * p;
            dW1T[H + i] += d1[i] * q;
        }
    }
    for (int i = 0; i < H; i++) {
        dW1[2 * i] = dW1T[i] + 2 * decay * W1[2 * i];
        dW1[2 * i + 1] = dW1T[H + i] + 2 * decay * W1[2 * i + 1];
        db1[i] = a1[i] + 2 * decay * b1[i];
        db2[i] = a2[i] + 2 * decay * b2[i];
        dW3[i] = a3[i] + 2 * decay * W3[i];
    }
    for (int i = 0; i < H * H; i++) dW2[i] = A2[i] + 2 * decay * W2[i];
    db3[0] = last + 2 * decay * b3[0];
    return loss / B + decay * penalty;
}

static void hidden(const double *restrict x, const double *restrict WT, const double *restrict b,
                   double *restrict h) {
    for (int i = 0; i < N; i++) h[i] = b[i];
    for (int j = 0; j < D; j++)
        for (int i = 0; i < N; i++) h[i] += x[j] * WT[j * N + i];
    for (int i = 0; i < N; i++) h[i] = tanh(h[i]);
}

static void back(const double *restrict x, const double *restrict h, double d,
                 const double *restrict W, const double *restrict u, double *restrict A,
                 double *restrict db, double *restrict du, double *restrict dx) {
    double z[N];
    for (int i = 0; i < N; i++) {
        du[i] += d * h[i];
        z[i] = d * u[i] * (1 - h[i] * h[i]);
        db[i] += z[i];
    }
    for (int j = 0; j < D; j++) dx[j] = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++) {
            A[i * D + j] += z[i] * x[j];
            dx[j] += z[i] * W[i * D + j];
        }
}

double window(long B, const double *restrict x, const double *restrict x_c,
              const double *restrict W, const double *restrict b, const double *restrict u,
              double *restrict dW, double *restrict db, double *restrict du, double *restrict dx,
              double *restrict dx_c) {
    double WT[D * N], loss = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++) WT[j * N + i] = W[i * D + j];
    memset(dW, 0, D * N * sizeof(double));
    memset(db, 0, N * sizeof(double));
    memset(du, 0, N * sizeof(double));
    for (long s = 0; s < B; s++) {
        double h[N], h_c[N], margin = 1;
        hidden(x + s * D, WT, b, h);
        hidden(x_c + s * D, WT, b, h_c);
        for (int i = 0; i < N; i++) margin += (h_c[i] - h[i]) * u[i];
        if (margin > 0) {
            loss += margin;
            back(x + s * D, h, -1.0 / B, W, u, dW, db, du, dx + s * D);
            back(x_c + s * D, h_c, 1.0 / B, W, u, dW, db, du, dx_c + s * D);
        } else {
            memset(dx + s * D, 0, D * sizeof(double));
            memset(dx_c + s * D, 0, D * sizeof(double));
        }
    }
    return loss / B;
}
