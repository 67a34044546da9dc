"""The types of an executor's tasks and answers; executors accept any types."""

from __future__ import annotations

from typing import TypeVar

TaskT = TypeVar("TaskT")

AnswerT = TypeVar("AnswerT")
