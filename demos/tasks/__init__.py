"""The exercises: for each task what is asked, a reference answer, and how an answer is judged."""

from tasks.form import RefusedError, Task
from tasks.gradients import TASKS as GRADIENTS
from tasks.training import TASKS as TRAINING

TASKS: tuple[Task, ...] = (*GRADIENTS, *TRAINING)

__all__ = ["TASKS", "RefusedError", "Task"]
