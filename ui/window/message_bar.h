#pragma once

#include <QtWidgets/QFrame>

class QLabel;
class QPushButton;
class QToolButton;

namespace belay::ui {

// A line across the top of the window that says what is wrong, with at most one thing to press.
class MessageBar final : public QFrame {
    Q_OBJECT

 public:
    // `name`: its accessible name.
    MessageBar(const QString& name, QWidget* parent);

    // Shows the text; an empty one hides the bar. `closable`: the user may send it away.
    void say(const QString& text, bool closable);
    QString text() const;
    // What can be pressed; an empty one is no button.
    void offer(const QString& action);

 signals:
    void pressed();

 protected:
    void changeEvent(QEvent* event) override;

 private:
    void color();

    QLabel* text_;
    QPushButton* action_;
    QToolButton* close_;
};

}  // namespace belay::ui
