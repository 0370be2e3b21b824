// liblapack-dev carries no C header: these are the Fortran symbols we call (LAPACK 3.11),
// every argument by reference, matrices column-major.
#ifndef INFLUENCED_LAPACK_H
#define INFLUENCED_LAPACK_H

#include <stddef.h>

// Character arguments carry their lengths at the end (the gfortran calling convention).

// Cholesky factorisation in rectangular full packed format (Gustavson et al., LAWN 199).
void spftrf_(const char *transr, const char *uplo, const int *n, float *a, int *info,
             size_t transr_length, size_t uplo_length);

// Solves A X = B from spftrf's factor.
void spftrs_(const char *transr, const char *uplo, const int *n, const int *nrhs, const float *a,
             float *b, const int *ldb, int *info, size_t transr_length, size_t uplo_length);

// Eigenvalues and vectors of a real symmetric matrix, by divide and conquer.
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info, size_t jobz_length, size_t uplo_length);

#endif
