// Package display shows values in a notebook or a terminal: text, markup,
// pictures and progress. Its names are those that gophernotes' notebooks use.
//
// Constructors such as [HTML] and [PNG] make a [Data]; a cell whose last
// expression is one shows it, and Display shows it at once. A type of one's own
// draws itself by having a method of an interface here, such as HTML() string.
//
// What is shown goes to a [Sink], which the session puts into the context of
// the running cell: see [WithSink] and [From]. In a cell Display, Update,
// Clear and Progress are functions of this package; they are the methods of a
// [Screen] over the session's sink. There, display.Input(prompt) and
// display.Password(prompt) ask the person for a line.
package display
