# The stateless service of docs/patterns/stateless_serving.md: docker build -t serving .
# Each step runs without Docker in tests/test_dockerfile.py. See docs/serving_at_scale.md.
FROM python:3.12-slim

# One thread for each computation: copies of the container share the processors, not threads.
ENV OMP_NUM_THREADS=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH=/app/.venv/bin:$PATH
WORKDIR /app
RUN pip install --no-cache-dir "uv>=0.9,<1"

# By mkdocs.yml the command knows a copy of the repository.
COPY pyproject.toml README.md LICENSE mkdocs.yml ./
COPY datasets datasets
COPY patterns patterns
RUN uv sync --no-cache --compile-bytecode --no-default-groups --extra stateless_serving --extra onnx

# The artifact is a part of the image, so that every copy of the image answers alike.
RUN python -c "from patterns._kit.serving import train_flights; train_flights().save('flights.zip')"

# It owns nothing here and writes nothing.
RUN useradd --no-create-home --uid 10001 serving
USER 10001

EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health/live', timeout=2)"]
CMD ["patterns", "serve", "flights.zip", "--host", "0.0.0.0", "--port", "8080"]
