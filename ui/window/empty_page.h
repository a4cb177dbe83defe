#pragma once

#include <QtWidgets/QWidget>

class QLabel;

namespace belay::ui {

// What a list shows that has nothing in it: a picture, what is missing, and what to do.
class EmptyPage final : public QWidget {
    Q_OBJECT

 public:
    EmptyPage(const QString& icon, QWidget* parent);
    void say(const QString& title, const QString& text);

 protected:
    void changeEvent(QEvent* event) override;

 private:
    void draw();

    QString icon_;
    QLabel* picture_;
    QLabel* title_;
    QLabel* text_;
};

}  // namespace belay::ui
