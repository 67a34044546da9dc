"""Answers of executors to the tasks of tests."""


def answers(workers, tasks):
    """Return each task with its answer, in the order of the answers."""
    waiting, found = list(tasks), []
    while waiting or workers.has_tasks():
        while waiting and workers.has_capacity():
            workers.submit(waiting.pop(0))
        found.append(workers.next_answer())
    return found
