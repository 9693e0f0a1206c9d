"""What is wrong with a command line: one sentence for each mistake, in every program."""

NO_COMMAND = "There is no command {}."
NO_OPTION = "There is no option {}."
UNEXPECTED = "This is not expected here: {}."
VALUE_MISSING = "{} needs a value after it."
VALUE_UNEXPECTED = "{} takes no value."
NOT_TOGETHER = "{} cannot be used with {}."
WRONG_VALUE = "{} {}."
