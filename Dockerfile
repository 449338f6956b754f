# JupyterLab with the tutorial and a warm kernel: `docker build -t icvae . && docker run -p 8888:8888 icvae`.
# Codespaces (.devcontainer) and Binder (.binder) use this file too.
# Its steps were run in a bare Debian 12, as another user and with another environment's Jupyter. The image
# itself is untested: none could be fetched where this was written.
FROM quay.io/jupyter/base-notebook:python-3.12

USER root
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl g++ git python3-venv \
    && rm -rf /var/lib/apt/lists/*

USER ${NB_UID}
ENV PATH="/home/${NB_USER}/.cargo/bin:${PATH}"
RUN curl --proto '=https' --tlsv1.2 --silent --show-error --fail https://sh.rustup.rs \
    | sh -s -- -y --profile minimal --default-toolchain 1.95.0

COPY --chown=${NB_UID}:${NB_GID} . /home/${NB_USER}/icvae
WORKDIR /home/${NB_USER}/icvae
RUN cargo kernel install && rm -rf target "${HOME}/.cargo/registry/cache"

# The kernel is listed by whichever Jupyter the image is started with.
ENV JUPYTER_PATH="/home/${NB_USER}/icvae/.icvae/env/share/jupyter"
CMD ["start-notebook.py", "--ServerApp.default_url=/lab/tree/notebooks/tutorial.ipynb"]
